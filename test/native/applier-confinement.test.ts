/** No op leaves the tree below the root, whatever symlinks and mounts it holds. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { native } from '../../src/io/native.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';
import { applierOn, bytes, DIRECTORY, FILE, NONE, ROOT } from './applied-tree.js';

const { EEXIST, EINVAL, ENOTDIR, EXDEV } = osConstants.errno;
const skip = missing({ root: true, addon: true });

/** A tree with symlinks to a directory and a file beside it, which must stay as they are. */
function trapped(context: Cleanup) {
  const base = tempDir(context, 'confined');
  fs.mkdirSync(join(base, 'outside'));
  fs.mkdirSync(join(base, 'root'));
  fs.writeFileSync(join(base, 'outside/secret'), 'secret', { mode: 0o640 });
  fs.symlinkSync('../outside', join(base, 'root/directory'));
  fs.symlinkSync('../outside/secret', join(base, 'root/file'));
  fs.symlinkSync(join(base, 'outside/missing'), join(base, 'root/dangling'));
  const outside = (): unknown =>
    ['.', 'secret'].map((name) => {
      const stat = fs.lstatSync(join(base, 'outside', name), { bigint: true });
      return [stat.ctimeNs, stat.mode, stat.uid, stat.size, fs.readdirSync(join(base, 'outside'))];
    });
  return { base, outside, before: outside(), ...applierOn(context, join(base, 'root')) };
}

test('ops on a symlink and names below one stay inside', { skip }, (context) => {
  const { applier, bind, outside, before } = trapped(context);
  bind(2, ROOT, 'directory');
  bind(3, ROOT, 'file');
  bind(4, ROOT, 'dangling');
  assert.equal(applier.create(9, 2, bytes('new'), FILE, 0, 0, 0, NONE), ENOTDIR);
  assert.equal(applier.bind(9, 2, bytes('secret')), ENOTDIR);
  assert.equal(applier.unlink(2, bytes('secret'), false), ENOTDIR);
  assert.equal(applier.rename(2, bytes('secret'), ROOT, bytes('got'), 0), ENOTDIR);
  assert.equal(applier.write(3, 0, bytes('x'), true), EINVAL);
  assert.equal(applier.truncate(3, 0, true), EINVAL);
  assert.equal(applier.setattr(3, 0o100777, 9, 9), 0);
  assert.equal(applier.times(3, 1n, 1n), 0);
  assert.equal(applier.setxattr(3, bytes('trusted.x'), bytes('x'), 0), 0);
  assert.equal(applier.link(3, ROOT, bytes('second')), 0);
  for (const name of ['dangling', 'file', 'directory']) {
    assert.equal(applier.create(9, ROOT, bytes(name), FILE, 0, 0, 0, NONE), EEXIST);
    assert.equal(applier.create(9, ROOT, bytes(name), DIRECTORY, 0, 0, 0, NONE), EEXIST);
  }
  assert.equal(applier.unlink(ROOT, bytes('file'), false), 0);
  assert.deepEqual(outside(), before);
});

test('a directory exchanged for a symlink does not redirect its ref', { skip }, (context) => {
  const { applier, at, create, outside, before, base } = trapped(context);
  create(2, ROOT, 'd', DIRECTORY);
  fs.renameSync(at('d'), at('moved'));
  fs.symlinkSync(join(base, 'outside'), at('d'));
  assert.equal(applier.create(3, 2, bytes('f'), FILE, 0, 0, 0, NONE), 0);
  assert.deepEqual(fs.readdirSync(at('moved')), ['f']);
  assert.deepEqual(outside(), before);
});

test('another filesystem mounted inside is not entered', { skip }, (context) => {
  const { applier, at } = trapped(context);
  fs.mkdirSync(at('mounted'));
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', 'none', at('mounted')]).status, 0);
  assert.equal(applier.bind(2, ROOT, bytes('mounted')), EXDEV);
});

test('the applier writes below a read-only view of the root', { skip }, async (context) => {
  const { applier, at, directory, create, bind, rootFd } = trapped(context);
  create(2, ROOT, 'before');
  await native().bindReadOnly(bytes(directory));
  assert.throws(() => fs.writeFileSync(at('before'), 'x'), { code: 'EROFS' });
  create(3, ROOT, 'after');
  assert.equal(applier.write(3, 0, bytes('written'), true), 0);
  assert.equal(applier.forget(2), 0);
  bind(2, ROOT, 'before');
  assert.equal(applier.setattr(2, 0o100600, 1, 1), 0);
  assert.equal(await applier.commit(), 0);
  assert.equal(fs.readFileSync(at('after'), 'utf8'), 'written');
  const late = new (native().Applier)(rootFd);
  assert.equal(late.bind(2, ROOT, bytes('after')), 0);
  assert.equal(late.truncate(2, 2, false), 0);
  late.close();
  assert.equal(fs.readFileSync(at('after'), 'utf8'), 'wr');
  await native().unmount(bytes(directory), false);
  fs.writeFileSync(at('before'), 'x');
});
