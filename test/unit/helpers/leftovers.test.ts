import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { clearBelow, findLeftovers } from '../../helpers/leftovers.js';
import { parseMountInfo } from '../../helpers/mounts.js';
import { pidsOfState, processInfo } from '../../helpers/processes.js';
import { missing } from '../../helpers/requires.js';
import { staleRoots, tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';

test('mountinfo lines are read, escapes undone', () => {
  const line =
    '36 35 98:0 /mnt1 /mnt\\040a\\134b rw,noatime master:1 - fuse.twinfs /data rw,errors=x';
  assert.deepEqual(parseMountInfo(`${line}\n`), [
    { mountpoint: '/mnt a\\b', type: 'fuse.twinfs', source: '/data', options: 'rw,noatime' },
  ]);
});

test('mounts with any name are found and removed', { skip: missing({ root: true }) }, async (t) => {
  const directory = tempDir(t);
  for (const name of ['plain', 'with space', 'tab\tand \\ backslash', 'ünï']) {
    const place = join(directory, name);
    fs.mkdirSync(place);
    assert.equal(spawnSync('mount', ['-t', 'tmpfs', 'none', place]).status, 0);
  }
  assert.equal(findLeftovers(directory).length, 4);
  await clearBelow(directory);
  assert.deepEqual(findLeftovers(directory), []);
});

test('a daemon is found by its state directory, and ended', async (t) => {
  const directory = tempDir(t);
  const state = join(directory, 'state');
  const argv = ['-e', 'setInterval(() => 0, 1000)', '--', 'daemon', '--state', state];
  const child = spawn(process.execPath, argv, { detached: true, stdio: 'ignore' });
  child.unref();
  await waitFor('the daemon', () => pidsOfState(state).length === 1);
  assert.deepEqual(pidsOfState(state), [child.pid]);
  // A directory whose name only begins alike is another node.
  assert.deepEqual(pidsOfState(state.slice(0, -1)), []);
  await clearBelow(directory);
  assert.deepEqual(pidsOfState(state), []);
});

test('a root whose owner lives is no leftover; one whose owner is gone is', (t) => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = tempDir(t);
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const start = Number(processInfo(process.pid)?.startedAt).toString(36);
  const place = (name: string): string => {
    const path = join(process.env['TMPDIR'] ?? '', name);
    fs.mkdirSync(path);
    return path;
  };
  place(`twinfs-t-${process.pid}-${start}`);
  place('other');
  const reused = place(`twinfs-t-${process.pid}-0`);
  const gone = place('twinfs-t-4999999-abc');
  assert.deepEqual(staleRoots().sort(), [gone, reused].sort());
});
