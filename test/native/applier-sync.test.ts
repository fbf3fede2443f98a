/** Group commit and fsync off the event loop; an error of either stays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { appliedTree, applierOn, bytes, DIRECTORY, ROOT } from './applied-tree.js';

const { EIO, ENOSPC } = osConstants.errno;
const skip = missing({ root: true, addon: true });

test(
  'commit covers what came before it, the next one what came after',
  { skip },
  async (context) => {
    const { applier, create } = appliedTree(context);
    assert.equal(await applier.commit(), 0, 'nothing to do');
    create(2, ROOT, 'd', DIRECTORY);
    create(3, 2, 'f');
    assert.equal(applier.write(3, 0, bytes('x'), false), 0);
    assert.equal(applier.counters().unsynced, 3, 'root, directory and file');
    const first = applier.commit();
    assert.equal(applier.counters().unsynced, 0);
    assert.equal(applier.write(3, 1, bytes('y'), false), 0);
    assert.equal(applier.counters().unsynced, 1);
    const second = applier.commit();
    const third = applier.commit();
    assert.deepEqual(await Promise.all([first, second, third]), [0, 0, 0]);
    assert.equal(applier.counters().unsynced, 0);
  },
);

test('quiet ops leave nothing to commit', { skip }, (context) => {
  const { applier, at, bind } = appliedTree(context);
  fs.writeFileSync(at('f'), '');
  bind(2, ROOT, 'f');
  assert.equal(applier.times(2, 1n, null), 0);
  const { mode, uid, gid } = fs.statSync(at('f'));
  assert.equal(applier.setattr(2, mode, uid, gid), 0);
  assert.equal(applier.forget(2), 0);
  assert.equal(applier.counters().unsynced, 0);
});

test('many changed nodes, forgotten and removed ones among them', { skip }, async (context) => {
  const { applier, create } = appliedTree(context);
  for (const count of [10, 500]) {
    for (let ref = 10; ref < 10 + count; ref++) {
      create(ref, ROOT, `f${ref}`);
      assert.equal(applier.write(ref, 0, bytes('x'), false), 0);
      if (ref % 3 === 0) assert.equal(applier.unlink(ROOT, bytes(`f${ref}`), false), 0);
      if (ref % 2 === 0) assert.equal(applier.forget(ref), 0);
    }
    assert.equal(applier.counters().unsynced, count + 1);
    assert.equal(await applier.commit(), 0);
    applier.reset();
    for (let ref = 10; ref < 10 + count; ref++) {
      if (ref % 3 !== 0) assert.equal(applier.unlink(ROOT, bytes(`f${ref}`), false), 0);
    }
    assert.equal(await applier.commit(), 0);
  }
});

test('fsync of files, directories and symlinks', { skip }, async (context) => {
  const { applier, create, bind, at } = appliedTree(context);
  create(2, ROOT, 'd', DIRECTORY);
  create(3, 2, 'f');
  fs.symlinkSync('x', at('l'));
  bind(4, ROOT, 'l');
  const all = [ROOT, 2, 3, 4].flatMap((ref) => [
    applier.fsync(ref, false),
    applier.fsync(ref, true),
  ]);
  assert.deepEqual(
    await Promise.all(all),
    all.map(() => 0),
  );
});

test('ops go on while syncs run, and close does not disturb them', { skip }, async (context) => {
  const { applier, create } = appliedTree(context);
  create(2, ROOT, 'f');
  const syncs: Promise<number>[] = [];
  for (let round = 0; round < 50; round++) {
    assert.equal(applier.write(2, round * 4096, Buffer.alloc(4096, 1), false), 0);
    syncs.push(round % 2 === 0 ? applier.commit() : applier.fsync(2, true));
  }
  applier.close();
  const results = await Promise.all(syncs);
  const { EBADF } = osConstants.errno;
  assert.ok(
    results.every((errno) => errno === 0 || errno === EBADF),
    results.join(),
  );
  assert.equal(results[0], 0);
  assert.equal(await applier.commit(), EBADF);
});

/** An ext4 whose disk runs out behind its back: writes are accepted and cannot be written back. */
function failingDisk(context: Parameters<typeof tempDir>[0]): { root: string; fill: () => void } {
  const base = tempDir(context, 'failing');
  const run = (command: string): void => {
    const result = spawnSync('sh', ['-ec', command], { cwd: base, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
  };
  run(`mkdir disk root
    mount -t tmpfs -o size=24m none disk
    truncate -s 100m disk/image
    mkfs.ext4 -q -F -O ^has_journal -E lazy_itable_init=1 disk/image
    mount -o loop,errors=continue disk/image root`);
  return { root: `${base}/root`, fill: () => run('cat /dev/zero > disk/full 2>&1 || true') };
}

const failing = missing({
  root: true,
  addon: true,
  commands: ['mkfs.ext4'],
  files: ['/dev/loop-control'],
});

for (const how of ['commit', 'fsync', 'many'] as const) {
  test(`a failed sync stays failed (${how})`, { skip: failing }, async (context) => {
    const disk = failingDisk(context);
    const { applier, create } = applierOn(context, disk.root);
    const files = how === 'many' ? 100 : 1;
    for (let ref = 2; ref < 2 + files; ref++) create(ref, ROOT, `f${ref}`);
    assert.equal(await applier.commit(), 0);
    disk.fill();
    for (let ref = 2; ref < 2 + files; ref++) {
      assert.equal(applier.write(ref, 0, Buffer.alloc(2 ** 20 / files, 7), false), 0);
    }
    const errno = await (how === 'fsync' ? applier.fsync(2, true) : applier.commit());
    assert.ok(errno === EIO || errno === ENOSPC, `errno ${errno}`);
    fs.rmSync(`${disk.root}/../disk/full`);
    assert.equal(await applier.commit(), errno, 'even with nothing to do');
    assert.equal(await applier.fsync(2, false), errno);
  });
}
