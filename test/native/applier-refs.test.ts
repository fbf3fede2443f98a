/**
 * Refs and descriptors: unlinked-but-open inodes, many refs with few descriptors, filesystems
 * without handles.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { appliedTree, applierOn, bytes, DIRECTORY, FILE, NONE, ROOT } from './applied-tree.js';
import type { AppliedTree } from './applied-tree.js';

const { ENOENT, ESTALE } = osConstants.errno;
const skip = missing({ root: true, addon: true });

/** Content of what this process has open under a name that is gone. */
const openDeleted = (path: string): string | null => {
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    const link = `/proc/self/fd/${fd}`;
    try {
      if (fs.readlinkSync(link) === `${path} (deleted)`) return fs.readFileSync(link, 'utf8');
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
  return null;
};

function unlinkedButOpen({ applier, at, bind }: AppliedTree): void {
  fs.writeFileSync(at('f'), 'old');
  bind(2, ROOT, 'f');
  assert.equal(applier.unlink(ROOT, bytes('f'), false), 0);
  fs.writeFileSync(at('f'), 'another');
  assert.equal(applier.write(2, 0, bytes('new!'), false), 0);
  assert.equal(applier.setattr(2, 0o100600, 3, 4), 0);
  assert.equal(applier.setxattr(2, bytes('trusted.a'), bytes('b'), 0), 0);
  assert.equal(applier.times(2, 5n, null), 0);
  assert.equal(openDeleted(at('f')), 'new!');
  assert.equal(fs.readFileSync(at('f'), 'utf8'), 'another');
  assert.equal(applier.link(2, ROOT, bytes('g')), ENOENT, 'without a name, no new one');
  assert.equal(applier.forget(2), 0);
  assert.equal(openDeleted(at('f')), null);
}

test('an unlinked file goes on until it is forgotten', { skip }, (context) => {
  unlinkedButOpen(appliedTree(context));
});

test('a file renamed over goes on; one with another name is not held', { skip }, (context) => {
  const { applier, at, create, bind } = appliedTree(context);
  fs.writeFileSync(at('victim'), 'v');
  bind(2, ROOT, 'victim');
  create(3, ROOT, 'new');
  assert.equal(applier.write(3, 0, bytes('n'), false), 0);
  assert.equal(applier.rename(ROOT, bytes('new'), ROOT, bytes('victim'), 0), 0);
  assert.equal(applier.write(2, 1, bytes('w'), false), 0);
  assert.equal(openDeleted(at('victim')), 'vw');
  assert.equal(fs.readFileSync(at('victim'), 'utf8'), 'n');
  assert.equal(applier.link(3, ROOT, bytes('second')), 0);
  assert.equal(applier.unlink(ROOT, bytes('victim'), false), 0);
  assert.equal(applier.write(3, 1, bytes('m'), false), 0);
  assert.equal(fs.readFileSync(at('second'), 'utf8'), 'nm');
});

test('a removed directory takes attributes until it is forgotten', { skip }, (context) => {
  const { applier, create } = appliedTree(context);
  create(2, ROOT, 'd', DIRECTORY);
  assert.equal(applier.unlink(ROOT, bytes('d'), true), 0);
  assert.equal(applier.setattr(2, 0o040700, 1, 1), 0);
  assert.equal(applier.times(2, 1n, null), 0);
  assert.equal(applier.create(3, 2, bytes('x'), FILE, 0, 0, 0, NONE), ENOENT);
});

test('a new inode with an old number is another one', { skip }, (context) => {
  const { applier, at, bind } = appliedTree(context);
  fs.writeFileSync(at('f'), 'first');
  bind(2, ROOT, 'f');
  // Behind the applier's back: the handle's generation must tell them apart, whatever the number.
  fs.unlinkSync(at('f'));
  fs.writeFileSync(at('f'), 'second');
  assert.equal(applier.write(2, 0, bytes('x'), false), ESTALE);
  assert.equal(fs.readFileSync(at('f'), 'utf8'), 'second');
});

test('20,000 refs need few descriptors, and each leads to its inode', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  const count = 20_000;
  create(2, ROOT, 'd', DIRECTORY);
  for (let index = 0; index < count; index++) {
    create(10 + index, 2, `f${index}`);
    assert.equal(applier.write(10 + index, 0, bytes(`${index}`), false), 0);
  }
  assert.equal(applier.counters().refs, count + 2);
  const { descriptors } = applier.counters();
  assert.ok(descriptors < 5000, `${descriptors} descriptors`);
  assert.ok(fs.readdirSync('/proc/self/fd').length < 5200);
  for (let index = 0; index < count; index += 97) {
    assert.equal(applier.write(10 + index, 0, bytes(`#`), false), 0);
    assert.equal(fs.readFileSync(at(`d/f${index}`), 'utf8')[0], '#');
  }
  for (let index = 0; index < count; index += 2) assert.equal(applier.forget(10 + index), 0);
  assert.equal(applier.counters().refs, count / 2 + 2);
  assert.equal(applier.write(11, 0, bytes('!'), false), 0);
  assert.equal(fs.readFileSync(at('d/f1'), 'utf8'), '!');
});

test('more nameless files than descriptors: ops on the rest are no-ops', { skip }, (context) => {
  const directory = tempDir(context, 'tree');
  const script = `
    const addon = require(process.argv[1]);
    const applier = new addon.Applier(addon.open(Buffer.from(process.argv[2]), 0o10000000, 0));
    const none = Buffer.alloc(0);
    const errors = new Set();
    for (let ref = 2; ref < 3000; ref++) {
      errors.add(applier.create(ref, 1, Buffer.from('f'), 0o100644, 0, 0, 0, none));
      errors.add(applier.unlink(1, Buffer.from('f'), false));
    }
    for (let ref = 2; ref < 3000; ref++) {
      errors.add(applier.write(ref, 0, Buffer.from('x'), true));
      errors.add(applier.times(ref, 1n, null));
    }
    console.log(JSON.stringify([...errors]), applier.counters().descriptors);`;
  // Node raises its soft limit to the hard one at its start.
  const addon = new URL('../../../native-bindings/build/Release/twinfs.node', import.meta.url);
  const run = spawnSync(
    'sh',
    [
      '-c',
      'ulimit -n 1000; exec "$0" -e "$@"',
      process.execPath,
      script,
      addon.pathname,
      directory,
    ],
    { encoding: 'utf8' },
  );
  assert.match(run.stdout, /^\[0\] \d+\n$/, run.stderr);
});

function mounted(
  context: Parameters<typeof tempDir>[0],
  type: string,
  options: (base: string) => string,
): AppliedTree {
  const base = tempDir(context, type);
  for (const name of ['lower', 'upper', 'work', 'root']) fs.mkdirSync(`${base}/${name}`);
  fs.writeFileSync(`${base}/lower/below`, 'below');
  // The layers of an overlay must lie on a filesystem that is none itself.
  const made = spawnSync('mount', ['-t', type, '-o', options(base), type, `${base}/root`]);
  assert.equal(made.status, 0, made.stderr.toString());
  return applierOn(context, `${base}/root`);
}

test('a filesystem without file handles works with kept descriptors', { skip }, async (context) => {
  const tree = mounted(
    context,
    'overlay',
    (base) => `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`,
  );
  const { applier, at, create, bind } = tree;
  create(5, ROOT, 'd', DIRECTORY);
  create(6, 5, 'f');
  assert.equal(applier.write(6, 0, bytes('data'), true), 0);
  bind(7, ROOT, 'below');
  assert.equal(applier.link(6, ROOT, bytes('h')), 0);
  assert.equal(fs.readFileSync(at('h'), 'utf8'), 'data');
  assert.equal(await applier.commit(), 0);
  unlinkedButOpen(tree);
  assert.ok(applier.counters().descriptors >= 4);
});

test('a tmpfs works', { skip }, async (context) => {
  const tree = mounted(context, 'tmpfs', () => 'size=1m');
  unlinkedButOpen(tree);
  assert.equal(await tree.applier.commit(), 0);
});
