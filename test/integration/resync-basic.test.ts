/**
 * A resync brings everything, removes the rest, follows nothing out of the tree, and sends only
 * differences.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { resync } from '../helpers/resync-pair.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';

const skip = missing({ root: true, addon: true, commands: ['mknod', 'setfattr', 'getfattr'] });

function makeTrees(context: Cleanup): { source: string; target: string } {
  const base = tempDir(context, 'resync');
  const [source, target] = [join(base, 'source'), join(base, 'target')];
  fs.mkdirSync(source);
  fs.mkdirSync(target);
  return { source, target };
}

/** One of everything a filesystem can hold. */
function fillWithEverything(root: string): void {
  const at = (path: string): string => join(root, path);
  fs.mkdirSync(at('a/b/c'), { recursive: true });
  fs.mkdirSync(at('empty'), { mode: 0o1777 });
  fs.writeFileSync(at('a/small'), 'hello');
  fs.writeFileSync(at('a/nothing'), '');
  fs.writeFileSync(at('a/b/medium'), randomBytes(100_000));
  fs.writeFileSync(at('a/b/c/large'), randomBytes(3_000_001));
  fs.writeFileSync(at('zeros'), Buffer.alloc(200_000));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/bytes-`), Buffer.from([0xff, 0x0a])]), 'x');
  fs.truncateSync(at('zeros'), 5_000_000);
  fs.symlinkSync('../small', at('a/b/link'));
  fs.symlinkSync('/nowhere/at/all', at('dangling'));
  fs.linkSync(at('a/small'), at('a/b/again'));
  fs.linkSync(at('a/small'), at('third'));
  fs.linkSync(at('a/b/link'), at('link-again'));
  execFileSync('mknod', [at('fifo'), 'p']);
  execFileSync('mknod', [at('null'), 'c', '1', '3']);
  execFileSync('mknod', [at('disk'), 'b', '259', '1048575']);
  execFileSync('setfattr', ['-n', 'user.colour', '-v', 'green', at('a/small')]);
  execFileSync('setfattr', ['-n', 'user.empty', '-v', '', at('a/b')]);
  fs.chownSync(at('a/small'), 1234, 5678);
  fs.chmodSync(at('a/small'), 0o4755);
  fs.lchownSync(at('dangling'), 33, 44);
  fs.utimesSync(at('a/b/medium'), 1, 1.123456);
  fs.utimesSync(at('a/b'), 2, 86400.5);
  fs.utimesSync(at('empty'), 2, -86400.25);
  fs.utimesSync(root, 2, 1_000_000);
}

test('brings one of everything to an empty target', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  fillWithEverything(source);
  const { ended, filesCompared } = await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
  assert.equal(ended?.current, '00000000000000aa');
  assert.ok(filesCompared >= 5);
  const sparse = fs.statSync(join(target, 'zeros'));
  assert.ok(sparse.blocks * 512 < 1_000_000, 'holes stay holes');
});

test('is quiet about an equal target: no data, no change time', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  fillWithEverything(source);
  await resync({ source, target });
  const paths = ['a/small', 'a/b', 'a/b/c/large', 'fifo', 'dangling', ''];
  const ctimes = (): bigint[] =>
    paths.map((path) => fs.lstatSync(join(target, path), { bigint: true }).ctimeNs);
  const before = ctimes();
  const { dataBytes } = await resync({ source, target });
  assert.equal(dataBytes, 0);
  assert.deepEqual(ctimes(), before);
  assert.deepEqual(findDifferences(source, target), []);
});

test('replaces what differs and removes what is extra', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  fillWithEverything(source);
  fillWithEverything(target);
  const at = (path: string): string => join(target, path);
  // Another kind of entry under each name.
  fs.rmSync(at('a/b/c'), { recursive: true });
  fs.writeFileSync(at('a/b/c'), 'a file where a directory should be');
  fs.rmSync(at('a/b/medium'));
  fs.mkdirSync(at('a/b/medium/below/deep'), { recursive: true });
  fs.writeFileSync(at('a/b/medium/below/deep/file'), 'x');
  fs.rmSync(at('fifo'));
  fs.symlinkSync('null', at('fifo'));
  fs.rmSync(at('null'));
  execFileSync('mknod', [at('null'), 'c', '1', '5']);
  fs.rmSync(at('a/nothing'));
  fs.writeFileSync(at('a/nothing'), 'something');
  fs.rmSync(at('dangling'));
  fs.symlinkSync('/elsewhere', at('dangling'));
  // Links joined and parted.
  fs.rmSync(at('third'));
  fs.writeFileSync(at('third'), 'hello');
  fs.linkSync(at('a/b/c'), at('joined-by-mistake'));
  // Extras.
  fs.mkdirSync(at('extra/directory'), { recursive: true });
  fs.writeFileSync(at('extra/directory/file'), 'x');
  fs.writeFileSync(at('0-first'), 'x');
  fs.writeFileSync(at('~last'), 'x');
  execFileSync('setfattr', ['-n', 'user.extra', '-v', 'x', at('a/b')]);
  await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
});

test('parts files that are one inode on the target only', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(source, name), `content of ${name}`);
  fs.linkSync(join(source, 'b'), join(source, 'b2'));
  fs.writeFileSync(join(target, 'a'), 'content of a');
  for (const name of ['b', 'b2', 'c']) fs.linkSync(join(target, 'a'), join(target, name));
  await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
});

test('never follows a symlink of the target out of it', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  const outside = tempDir(t, 'outside');
  fs.writeFileSync(join(outside, 'precious'), 'keep me');
  const before = findDifferences(outside, target);
  fs.mkdirSync(join(source, 'directory/sub'), { recursive: true });
  fs.writeFileSync(join(source, 'directory/sub/precious'), 'overwritten');
  fs.writeFileSync(join(source, 'file'), 'overwritten');
  fs.mkdirSync(join(target, 'directory'));
  fs.symlinkSync(outside, join(target, 'directory/sub'));
  fs.symlinkSync(join(outside, 'precious'), join(target, 'file'));
  fs.symlinkSync(outside, join(target, 'extra'));
  await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
  assert.equal(fs.readFileSync(join(outside, 'precious'), 'utf8'), 'keep me');
  assert.deepEqual(fs.readdirSync(outside), ['precious']);
  assert.ok(before.length > 0);
});

test('sends only the blocks that differ', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  const MIB = 1024 * 1024;
  const content = randomBytes(64 * MIB);
  fs.writeFileSync(join(source, 'big'), content);
  for (let index = 0; index < 10; index += 1)
    content.fill(index, index * 6 * MIB, index * 6 * MIB + 10);
  fs.writeFileSync(join(target, 'big'), content);
  const { dataBytes } = await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
  assert.ok(dataBytes > 0 && dataBytes <= 10 * 4096, `${dataBytes} bytes for ten blocks`);
});

test('longer, shorter and holey files become equal with little data', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  const content = randomBytes(2_000_000);
  const at = (name: string): [string, string] => [join(source, name), join(target, name)];
  const [shorter, shorterThere] = at('shorter');
  fs.writeFileSync(shorter, content.subarray(0, 1_234_567));
  fs.writeFileSync(shorterThere, content);
  const [longer, longerThere] = at('longer');
  fs.writeFileSync(longer, content);
  fs.writeFileSync(longerThere, content.subarray(0, 1_234_567));
  const [holed, holedThere] = at('holed');
  fs.writeFileSync(holed, content.subarray(0, 100));
  fs.truncateSync(holed, 2_000_000);
  fs.writeFileSync(holedThere, content);
  const [filled, filledThere] = at('filled');
  fs.writeFileSync(filled, content);
  fs.writeFileSync(filledThere, '');
  const { dataBytes } = await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
  assert.ok(dataBytes < 2_000_000 + 800_000 + 20_000, `${dataBytes} bytes`);
});

test('a directory of more entries than a message holds', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  for (let index = 0; index < 6500; index += 1)
    fs.writeFileSync(join(source, `f${index}`), `${index}`);
  for (let index = 6000; index < 9500; index += 1)
    fs.writeFileSync(join(target, `f${index}`), 'old');
  await resync({ source, target });
  assert.deepEqual(findDifferences(source, target), []);
});

test('a tree of more levels than a path may name', { skip }, async (t) => {
  const { source, target } = makeTrees(t);
  const run = (script: string, directory: string): string =>
    execFileSync('sh', ['-c', script, 'sh', directory], { encoding: 'utf8' });
  try {
    run(
      'cd "$1"; for i in $(seq 30); do n=$(printf %0200d $i); mkdir $n; cd $n; done; echo deep > f',
      source,
    );
    await resync({ source, target });
    const there = run(
      'cd "$1"; for i in $(seq 30); do cd $(printf %0200d $i); done; cat f',
      target,
    );
    assert.equal(there, 'deep\n');
  } finally {
    execFileSync('rm', ['-rf', source, target]);
  }
});
