/**
 * The manual page and docs/operations.md say everything that the program knows, and groff takes the
 * page.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DEFAULT_OPTIONS, OPTION_KEYS } from '../../../src/config/options.js';
import { EXIT } from '../../../src/errors.js';
import { LOG_LEVELS } from '../../../src/io/logger.js';
import { runCli } from '../../helpers/cli.js';
import { repoRoot } from '../../helpers/paths.js';
import { missing } from '../../helpers/requires.js';

const page = join(repoRoot, 'src/share/man/twinfs.8');
const manual = fs.readFileSync(page, 'utf8').replaceAll('\\-', '-');
const operations = fs.readFileSync(join(repoRoot, 'docs/operations.md'), 'utf8');

const COMMANDS = [
  ...['mount', 'umount', 'serve', 'stop', 'promote', 'connect', 'status', 'mode', 'flush'],
  ...['demo', 'version'],
];

describe('documents', () => {
  test('every exit status, and no other', () => {
    const inManual = [...manual.matchAll(/^([0-9]+)@/gm)].map((match) => Number(match[1]));
    const table = operations.slice(operations.indexOf('## Exit statuses'));
    const inOperations = [...table.matchAll(/^\| ([0-9]+) \|/gm)].map((match) => Number(match[1]));
    assert.deepEqual(inManual, Object.values(EXIT));
    assert.deepEqual(inOperations, Object.values(EXIT));
  });

  test('every command and every option of every command', async () => {
    for (const command of COMMANDS) {
      const { stdout } = await runCli([command, '--help']);
      const options = [...stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+) /gm)].map((match) => match[1]);
      for (const option of options) {
        if (option === undefined || ['--help', '--version'].includes(option)) continue;
        assert.ok(operations.includes(option), `${option} in operations`);
        assert.ok(manual.includes(option), `${option} in the manual`);
      }
      assert.ok(operations.includes(`\`twinfs ${command}`), `${command} in operations`);
      assert.ok(manual.includes(command), `${command} in the manual`);
    }
  });

  test('every -o key with its default', () => {
    for (const key of OPTION_KEYS) {
      assert.ok(operations.includes(`| \`${key}`), `${key} in operations`);
      assert.ok(manual.includes(key), `${key} in the manual`);
    }
    assert.equal(DEFAULT_OPTIONS.peerTimeoutMs, 3000);
    assert.equal(DEFAULT_OPTIONS.queueBytes, 64 * 1024 * 1024);
    assert.match(operations, new RegExp(`workers=N.*\\| \`${DEFAULT_OPTIONS.workers}\``));
    assert.match(manual, new RegExp(`Default ${DEFAULT_OPTIONS.workers}\\.`));
    for (const level of LOG_LEVELS) assert.ok(manual.includes(level));
  });

  test('the manual page is clean', { skip: missing({ commands: ['groff'] }) }, () => {
    const args = ['-t', '-man', '-ww', '-Tutf8', '-z', page];
    const result = spawnSync('groff', args, { encoding: 'utf8' });
    assert.equal(result.status, 0);
    assert.equal(result.stderr, '');
  });
});
