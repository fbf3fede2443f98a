/**
 * The runner finds what tests cannot say of themselves: hangs, bad exits, leftovers, empty files.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { repoRoot } from '../../helpers/paths.js';
import { pidsOfState } from '../../helpers/processes.js';
import { tempDir } from '../../helpers/temp-dir.js';
import type { Cleanup } from '../../helpers/temp-dir.js';
import { runFile } from '../../runner/run-file.js';
import type { FileResult } from '../../runner/run-file.js';
import { count, fileReport } from '../../runner/summary.js';

async function runCase(t: Cleanup, name: string, timeoutMs = 20_000): Promise<FileResult> {
  process.env['TWINFS_FIXTURE'] = name;
  const file = {
    label: `fixtures/${name}`,
    path: join(repoRoot, 'dist/test/fixtures/runner-cases.js'),
  };
  return runFile(file, { root: tempDir(t), timeoutMs, long: false, running: new Set() });
}

const failures = (result: FileResult): string[] =>
  result.lines.filter((line) => line.outcome === 'failed').map((line) => line.name);

test('passes, failures and skips are told apart', async (t) => {
  const result = await runCase(t, 'mixed');
  assert.deepEqual(count([result], false), { passed: 1, failed: 1, skipped: 1 });
  assert.deepEqual(count([result], true), { passed: 1, failed: 2, skipped: 0 });
  assert.match(fileReport(result, false, false), /✖ bad[^]*1 !== 2/);
});

test('a file without tests fails', async (t) => {
  assert.deepEqual(failures(await runCase(t, 'empty')), ['holds tests']);
});

test('a hanging file is ended at its limit', async (t) => {
  const result = await runCase(t, 'hangs', 1_500);
  assert.deepEqual(failures(result), ['ends in time']);
  assert.match(result.lines.map((line) => line.detail).join(), /1.5 s; in: never ends/);
});

test('a bad exit status fails although every test passed', async (t) => {
  assert.deepEqual(failures(await runCase(t, 'exits')), ['ends well']);
});

test('a process left behind fails the file, and is ended', async (t) => {
  const result = await runCase(t, 'leaves');
  assert.deepEqual(failures(result), ['leaves nothing behind']);
  const detail = result.lines.find((line) => line.name === 'leaves nothing behind')?.detail ?? '';
  const state = /--state (\S+)/.exec(detail)?.[1];
  assert.ok(state !== undefined);
  assert.deepEqual(pidsOfState(state), []);
});
