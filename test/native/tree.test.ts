/** Calls on paths below a root: what a resync reads and changes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { native } from '../../src/io/native.js';
import type { TreeEntry, TreeMeta } from '../../src/io/native.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';
import { bytes, NONE, O_PATH, setXattrOf, xattrOf } from './applied-tree.js';

const skip = missing({ root: true, addon: true });

function tree(context: Cleanup, inside = '') {
  const directory = join(tempDir(context, 'tree'), inside);
  fs.mkdirSync(directory, { recursive: true });
  const root = native().open(bytes(directory), O_PATH, 0);
  context.after(() => native().close(root));
  return { directory, root, at: (name: string) => join(directory, name) };
}

const names = (entries: readonly TreeEntry[]): string[] =>
  entries.map((entry) => entry.name.toString('latin1'));

const metaOf = (over: Partial<TreeMeta>): TreeMeta => ({
  mode: 0o100644,
  uid: 0,
  gid: 0,
  mtime: 0n,
  xattrs: [],
  ...over,
});

test('readDir says what lstat, readlink and listxattr say', { skip }, async (context) => {
  const { root, at } = tree(context);
  fs.writeFileSync(at('file'), 'content', { mode: 0o600 });
  fs.chownSync(at('file'), 5, 6);
  fs.symlinkSync('x'.repeat(3000), at('long-link'));
  spawnSync('mknod', [at('device'), 'c', '10', '300']);
  fs.mkdirSync(at('directory'));
  setXattrOf(at('file'), 'user.b', 'second');
  setXattrOf(at('file'), 'trusted.a', '');
  setXattrOf(at('long-link'), 'trusted.l', 'link');
  const entries = await native().readDir(root, NONE);
  assert.deepEqual(names(entries), ['device', 'directory', 'file', 'long-link']);
  for (const entry of entries) {
    const stat = fs.lstatSync(at(entry.name.toString()), { bigint: true });
    const { mode, uid, gid, size, blocks, rdev, nlink } = entry;
    assert.deepEqual([mode, uid, gid, size, blocks, rdev, nlink].map(BigInt), [
      stat.mode,
      stat.uid,
      stat.gid,
      stat.size,
      stat.blocks,
      stat.rdev,
      stat.nlink,
    ]);
    assert.deepEqual([entry.mtime, entry.ino], [stat.mtimeNs, stat.ino]);
    assert.deepEqual(native().statBeneath(root, entry.name), entry);
  }
  assert.deepEqual(entries[2]?.xattrs, [
    { name: bytes('trusted.a'), value: NONE },
    { name: bytes('user.b'), value: bytes('second') },
  ]);
  assert.deepEqual(entries[3]?.xattrs, [{ name: bytes('trusted.l'), value: bytes('link') }]);
  assert.equal(entries[3]?.target.toString(), 'x'.repeat(3000));
});

test('names sort by their bytes and may be any', { skip }, async (context) => {
  const { root, directory } = tree(context);
  const all = [[0xff], [0x01], [0x0a, 0x41], [0x7f], [0x80], [0x41], [0x41, 0x42], [0xc3, 0xa9]];
  for (const name of all) {
    fs.writeFileSync(Buffer.concat([bytes(`${directory}/`), Buffer.from(name)]), '');
  }
  const entries = await native().readDir(root, NONE);
  const sorted = all.map((name) => Buffer.from(name)).sort(Buffer.compare);
  assert.deepEqual(
    entries.map((entry) => entry.name),
    sorted,
  );
});

test(
  'the root is "" and hides the mark; below it the same name shows',
  { skip },
  async (context) => {
    const { root, at, directory } = tree(context);
    fs.mkdirSync(at('d'));
    for (const path of [directory, at('d')]) setXattrOf(path, 'trusted.twinfs', 'mark');
    setXattrOf(directory, 'trusted.other', '1');
    const self = native().statBeneath(root, NONE);
    assert.deepEqual([self.name, names(self.xattrs as never)], [NONE, ['trusted.other']]);
    assert.deepEqual(names((await native().readDir(root, NONE))[0]?.xattrs as never), [
      'trusted.twinfs',
    ]);
    native().setMetaBeneath(root, NONE, metaOf({ mode: 0o040750, mtime: 5n }));
    assert.deepEqual(xattrOf(directory, 'trusted.twinfs'), bytes('mark'));
    assert.equal(xattrOf(directory, 'trusted.other'), null);
    const stat = fs.statSync(directory, { bigint: true });
    assert.deepEqual([stat.mode, stat.mtimeNs], [0o040750n, 5n]);
  },
);

test('many xattrs and large values', { skip }, async (context) => {
  const { root, at } = tree(context);
  fs.writeFileSync(at('f'), '');
  const wanted = Array.from({ length: 60 }, (_, index) => ({
    name: bytes(`user.attribute-${String(index).padStart(3, '0')}`),
    value: Buffer.alloc(index, index),
  }));
  native().setMetaBeneath(root, bytes('f'), metaOf({ xattrs: wanted }));
  const [entry] = await native().readDir(root, NONE);
  assert.deepEqual(entry?.xattrs, wanted);
});

test('makeBeneath makes every type, linkBeneath links', { skip }, (context) => {
  const { root, at } = tree(context);
  const make = (name: string, mode: number, rdev = 0, target = ''): void =>
    native().makeBeneath(root, bytes(name), mode, rdev, bytes(target));
  make('d', 0o040755);
  make('d/f', 0o100644);
  make('d/l', 0o120777, 0, '/etc/passwd');
  make('d/p', 0o010600);
  make('d/s', 0o140600);
  make('d/c', 0o020600, 0x105);
  assert.throws(() => make('d/f', 0o100644), { code: 'EEXIST', syscall: 'mknod' });
  assert.throws(() => make('d/l', 0o100644), { code: 'EEXIST' });
  assert.throws(() => make('d/l/x', 0o100644), { code: 'ELOOP' });
  assert.throws(() => make('d/f/x', 0o100644), { code: 'ENOTDIR' });
  assert.throws(() => make('../x', 0o100644), { code: 'EINVAL' });
  assert.equal(fs.readlinkSync(at('d/l')), '/etc/passwd');
  assert.equal(fs.statSync(at('d/c')).rdev, 0x105);
  native().linkBeneath(root, bytes('d/l'), bytes('l2'));
  assert.equal(fs.lstatSync(at('l2')).ino, fs.lstatSync(at('d/l')).ino);
});

test('setMetaBeneath makes owner, mode, xattrs and mtime exact', { skip }, (context) => {
  const { root, at } = tree(context);
  fs.writeFileSync(at('f'), '');
  setXattrOf(at('f'), 'user.old', '1');
  setXattrOf(at('f'), 'user.same', '2');
  const acl = Buffer.from(
    '0200000001000600ffffffff020007004d00000004000400ffffffff10000700ffffffff20000000ffffffff',
    'hex',
  );
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const xattrs = [
    { name: bytes('security.capability'), value: capability },
    { name: bytes('system.posix_acl_access'), value: acl },
    { name: bytes('user.same'), value: bytes('2') },
  ];
  const meta = metaOf({
    mode: 0o106670,
    uid: 7,
    gid: 8,
    mtime: 1_500_000_000_000_000_001n,
    xattrs,
  });
  native().setMetaBeneath(root, bytes('f'), meta);
  const entry = native().statBeneath(root, bytes('f'));
  assert.deepEqual({ ...entry, name: null }, { ...entry, ...meta, name: null });

  fs.symlinkSync('f', at('l'));
  native().setMetaBeneath(root, bytes('l'), metaOf({ mode: 0o120777, uid: 3, gid: 4, mtime: 9n }));
  const link = native().statBeneath(root, bytes('l'));
  assert.deepEqual([link.uid, link.gid, link.mtime], [3, 4, 9n]);
  assert.equal(native().statBeneath(root, bytes('f')).uid, 7);
});

test(
  'removeBeneath removes all, follows nothing, and absent is fine',
  { skip },
  async (context) => {
    const { root, at, directory } = tree(context, 'root');
    fs.mkdirSync(join(directory, '../outside/kept'), { recursive: true });
    fs.mkdirSync(at('d/locked/deep'), { recursive: true });
    fs.writeFileSync(at('d/locked/deep/f'), '');
    fs.symlinkSync('../../../outside', at('d/locked/link'));
    spawnSync('mkfifo', [at('d/pipe')]);
    fs.chmodSync(at('d/locked'), 0);
    fs.symlinkSync('../outside', at('l'));
    await native().removeBeneath(root, bytes('d'));
    await native().removeBeneath(root, bytes('l'));
    await native().removeBeneath(root, bytes('none'));
    await native().removeBeneath(root, bytes('none/below'));
    await assert.rejects(native().removeBeneath(root, NONE), { code: 'EINVAL' });
    assert.deepEqual(fs.readdirSync(directory), []);
    assert.deepEqual(fs.readdirSync(join(directory, '../outside')), ['kept']);
  },
);

test('paths longer than PATH_MAX, 600 levels deep', { skip }, async (context) => {
  const { root, at } = tree(context);
  const level = 'd'.repeat(100);
  const parts: string[] = [];
  for (let depth = 0; depth < 600; depth++) {
    parts.push(level);
    native().makeBeneath(root, bytes(parts.join('/')), 0o040755, 0, NONE);
  }
  const path = parts.join('/');
  assert.ok(path.length > 60_000);
  native().makeBeneath(root, bytes(`${path}/f`), 0o100644, 0, NONE);
  const fd = native().openBeneath(root, bytes(`${path}/f`), fs.constants.O_RDWR, 0);
  fs.writeSync(fd, 'deep');
  native().close(fd);
  native().setMetaBeneath(root, bytes(`${path}/f`), metaOf({ mtime: 3n }));
  native().linkBeneath(root, bytes(`${path}/f`), bytes('near'));
  assert.deepEqual(names(await native().readDir(root, bytes(path))), ['f']);
  assert.equal(native().statBeneath(root, bytes(`${path}/f`)).mtime, 3n);
  assert.equal(fs.readFileSync(at('near'), 'utf8'), 'deep');
  assert.throws(() => native().statBeneath(root, bytes('n'.repeat(256))), { code: 'ENAMETOOLONG' });
  await native().removeBeneath(root, bytes(level));
  assert.deepEqual(fs.readdirSync(at('.')), ['near']);
});

test('openBeneath stays beneath', { skip }, (context) => {
  const { root, at } = tree(context);
  fs.writeFileSync(at('f'), 'inside');
  fs.symlinkSync('f', at('l'));
  fs.symlinkSync('/', at('up'));
  const open = (path: string, flags = 0): number =>
    native().openBeneath(root, bytes(path), flags, 0o600);
  native().close(open(''));
  native().close(open('new', fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_RDWR));
  assert.equal(fs.statSync(at('new')).mode & 0o777, 0o600);
  assert.throws(() => open('l'), { code: 'ELOOP', syscall: 'openat2' });
  assert.throws(() => open('up/etc/passwd'), { code: 'ELOOP' });
  for (const path of ['..', '../x', './f', 'a//b', '/etc/passwd', 'f/', 'f\0']) {
    assert.throws(() => open(path), { code: 'EINVAL' }, path);
  }
});

test('punchHole zeroes inside and leaves the size', { skip }, (context) => {
  const { root, at } = tree(context);
  fs.writeFileSync(at('f'), 'x'.repeat(20_000));
  const fd = native().openBeneath(root, bytes('f'), fs.constants.O_RDWR, 0);
  native().punchHole(fd, 4096, 1_000_000);
  native().close(fd);
  const content = fs.readFileSync(at('f'));
  assert.equal(content.length, 20_000);
  assert.equal(content.toString('latin1'), 'x'.repeat(4096) + '\0'.repeat(20_000 - 4096));
});

test('a directory of 20,000 entries, read while it changes', { skip }, async (context) => {
  const { root, at } = tree(context);
  fs.mkdirSync(at('d'));
  for (let index = 0; index < 20_000; index++) fs.writeFileSync(at(`d/${index}`), '');
  const reading = native().readDir(root, bytes('d'));
  for (let index = 0; index < 20_000; index += 2) fs.unlinkSync(at(`d/${index}`));
  const found = new Set(names(await reading));
  for (let index = 1; index < 20_000; index += 2) assert.ok(found.has(String(index)));
  assert.equal((await native().readDir(root, bytes('d'))).length, 10_000);
  await assert.rejects(native().readDir(root, bytes('none')), {
    code: 'ENOENT',
    syscall: 'readdir',
  });
  await assert.rejects(native().readDir(root, bytes('d/1')), { code: 'ENOTDIR' });
});
