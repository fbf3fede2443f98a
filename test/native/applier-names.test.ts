/** Names and attributes: the applier makes exactly what the primary's result was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { appliedTree, bytes, DIRECTORY, NONE, ROOT, setXattrOf, xattrOf } from './applied-tree.js';

const { ESTALE, EEXIST, ENOENT, EINVAL, ENOTDIR, ENAMETOOLONG } = osConstants.errno;
const skip = missing({ root: true, addon: true });
const LINK = 0o120777;

test('create makes every type with exactly its mode, owner and device', { skip }, (context) => {
  const { applier, at } = appliedTree(context);
  const before = process.umask(0o077);
  try {
    const make = (
      ref: number,
      name: string,
      mode: number,
      rdev = 0,
      target: Buffer = NONE,
    ): void => {
      assert.equal(applier.create(ref, ROOT, bytes(name), mode, 12, 34, rdev, target), 0, name);
    };
    make(2, 'file', 0o106777);
    make(3, 'directory', 0o043775);
    make(4, 'symlink', LINK, 0, bytes('some/where'));
    make(5, 'fifo', 0o010622);
    make(6, 'socket', 0o140755);
    make(7, 'device', 0o020666, 0x103);
    make(8, 'block', 0o060640, 0x801);
  } finally {
    process.umask(before);
  }
  const modes: Record<string, number> = {
    file: 0o106777,
    directory: 0o043775,
    symlink: LINK,
    fifo: 0o010622,
    socket: 0o140755,
    device: 0o020666,
    block: 0o060640,
  };
  for (const [name, mode] of Object.entries(modes)) {
    const stat = fs.lstatSync(at(name));
    assert.equal(stat.mode.toString(8), mode.toString(8), name);
    assert.deepEqual([stat.uid, stat.gid], [12, 34], name);
  }
  assert.equal(fs.readlinkSync(at('symlink')), 'some/where');
  assert.equal(fs.lstatSync(at('device')).rdev, 0x103);
  assert.equal(fs.lstatSync(at('block')).rdev, 0x801);
});

test('a created ref is bound; a name that exists is refused', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'd', DIRECTORY);
  create(3, 2, 'f');
  assert.equal(applier.write(3, 0, bytes('data'), false), 0);
  assert.equal(fs.readFileSync(at('d/f'), 'utf8'), 'data');
  assert.equal(applier.create(4, 2, bytes('f'), 0o100644, 0, 0, 0, NONE), EEXIST);
  assert.equal(applier.create(4, 3, bytes('f'), 0o100644, 0, 0, 0, NONE), ENOTDIR);
});

test('an op on a ref that is not bound is ESTALE', { skip }, async (context) => {
  const { applier, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.forget(2), 0);
  assert.equal(applier.write(2, 0, bytes('x'), false), ESTALE);
  assert.equal(applier.truncate(9, 0, false), ESTALE);
  assert.equal(applier.bind(3, 9, bytes('f')), ESTALE);
  assert.equal(applier.setattr(9, 0o100644, 0, 0), ESTALE);
  assert.equal(applier.times(9, 0n, null), ESTALE);
  assert.equal(applier.setxattr(9, bytes('user.a'), NONE, 0), ESTALE);
  assert.equal(applier.link(9, ROOT, bytes('l')), ESTALE);
  assert.equal(applier.rename(ROOT, bytes('f'), 9, bytes('g'), 0), ESTALE);
  assert.equal(await applier.fsync(9, false), ESTALE);
});

test('bind finds what is there, also anew, and reset forgets it', { skip }, (context) => {
  const { applier, at, bind } = appliedTree(context);
  fs.writeFileSync(at('a'), '1');
  fs.writeFileSync(at('b'), '2');
  assert.equal(applier.bind(2, ROOT, bytes('none')), ENOENT);
  bind(2, ROOT, 'a');
  bind(2, ROOT, 'b');
  assert.equal(applier.truncate(2, 0, false), 0);
  assert.deepEqual([fs.statSync(at('a')).size, fs.statSync(at('b')).size], [1, 0]);
  assert.equal(applier.counters().refs, 2);
  applier.reset();
  assert.equal(applier.counters().refs, 1);
  assert.equal(applier.truncate(2, 5, false), ESTALE);
  bind(2, ROOT, 'a');
});

test('names that are not one component are refused', { skip }, (context) => {
  const { applier, create } = appliedTree(context);
  create(2, ROOT, 'd', DIRECTORY);
  for (const name of ['', '.', '..', 'a/b', '/etc', 'a\0b']) {
    assert.equal(applier.bind(3, ROOT, bytes(name)), EINVAL, JSON.stringify(name));
    assert.equal(applier.create(3, ROOT, bytes(name), 0o100644, 0, 0, 0, NONE), EINVAL);
    assert.equal(applier.unlink(ROOT, bytes(name), true), EINVAL);
    assert.equal(applier.rename(ROOT, bytes('d'), ROOT, bytes(name), 0), EINVAL);
  }
  assert.equal(applier.bind(3, ROOT, bytes('n'.repeat(256))), ENAMETOOLONG);
});

test('names of any bytes', { skip }, (context) => {
  const { applier, directory } = appliedTree(context);
  const name = Buffer.from([0xff, 0x01, 0x0a, 0x20, 0xc3]);
  assert.equal(applier.create(2, ROOT, name, 0o100600, 0, 0, 0, NONE), 0);
  assert.deepEqual(fs.readdirSync(Buffer.from(directory), { encoding: 'buffer' }), [name]);
});

test('hard links, renames with flags, removal', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'a');
  create(3, ROOT, 'd', DIRECTORY);
  assert.equal(applier.link(2, 3, bytes('b')), 0);
  assert.equal(fs.statSync(at('a')).ino, fs.statSync(at('d/b')).ino);
  assert.equal(applier.rename(ROOT, bytes('a'), 3, bytes('b'), 1), EEXIST);
  create(4, ROOT, 'other');
  assert.equal(applier.rename(ROOT, bytes('other'), 3, bytes('b'), 2), 0);
  assert.equal(fs.statSync(at('other')).ino, fs.statSync(at('a')).ino);
  assert.equal(applier.rename(3, bytes('b'), ROOT, bytes('c'), 0), 0);
  assert.equal(applier.unlink(ROOT, bytes('c'), false), 0);
  assert.equal(applier.unlink(ROOT, bytes('c'), false), ENOENT);
  assert.equal(applier.unlink(ROOT, bytes('d'), true), 0);
  assert.deepEqual(fs.readdirSync(at('.')).sort(), ['a', 'other']);
});

test('a symlink has its hard links, times, owner and xattrs itself', { skip }, (context) => {
  const { applier, at } = appliedTree(context);
  fs.writeFileSync(at('target'), '');
  const before = fs.statSync(at('target'));
  assert.equal(applier.create(2, ROOT, bytes('l'), LINK, 0, 0, 0, bytes('target')), 0);
  assert.equal(applier.setattr(2, LINK, 5, 6), 0);
  assert.equal(applier.times(2, 1_000_000_007n, 2_000_000_009n), 0);
  assert.equal(applier.setxattr(2, bytes('trusted.t'), bytes('v'), 0), 0);
  assert.equal(applier.link(2, ROOT, bytes('l2')), 0);
  const stat = fs.lstatSync(at('l2'), { bigint: true });
  assert.deepEqual(
    [stat.uid, stat.gid, stat.mtimeNs, stat.atimeNs, stat.nlink],
    [5n, 6n, 1_000_000_007n, 2_000_000_009n, 2n],
  );
  assert.deepEqual(xattrOf(at('l'), 'trusted.t'), bytes('v'));
  assert.equal(applier.removexattr(2, bytes('trusted.t')), 0);
  assert.equal(xattrOf(at('l'), 'trusted.t'), null);
  const after = fs.statSync(at('target'));
  assert.deepEqual(
    [after.uid, after.mtimeMs, after.ctimeMs],
    [before.uid, before.mtimeMs, before.ctimeMs],
  );
});

test('times: mtime alone leaves atime, negative times work', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.times(2, 5n, 7_000_000_001n), 0);
  assert.equal(applier.times(2, -1n, null), 0);
  const stat = fs.statSync(at('f'), { bigint: true });
  assert.deepEqual([stat.mtimeNs, stat.atimeNs], [-1n, 7_000_000_001n]);
  assert.equal(applier.times(ROOT, 99n, null), 0);
  assert.equal(fs.statSync(at('.'), { bigint: true }).mtimeNs, 99n);
});

test('setattr keeps suid over a chown and capabilities over a chmod', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.setattr(2, 0o106755, 7, 8), 0);
  const stat = fs.statSync(at('f'));
  assert.deepEqual([stat.mode, stat.uid, stat.gid], [0o106755, 7, 8]);
  setXattrOf(at('f'), 'trusted.keep', 'x');
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  assert.equal(applier.setxattr(2, bytes('security.capability'), capability, 0), 0);
  assert.equal(applier.setattr(2, 0o100700, 7, 8), 0);
  assert.deepEqual(xattrOf(at('f'), 'security.capability'), capability);
});

test(
  'an inherited ACL comes out as on the primary',
  { skip: missing({ root: true, addon: true, commands: ['setfacl', 'getfacl'] }) },
  (context) => {
    const { applier, at, bind } = appliedTree(context);
    fs.mkdirSync(at('d'));
    spawnSync('setfacl', ['-d', '-m', 'u:77:rwx,g:88:rx,m:rwx', at('d')]);
    const umask = process.umask(0o022);
    fs.writeFileSync(at('d/local'), '', { mode: 0o664 });
    process.umask(umask);
    bind(2, ROOT, 'd');
    const mode = fs.statSync(at('d/local')).mode;
    assert.equal(applier.create(3, 2, bytes('applied'), mode, 0, 0, 0, NONE), 0);
    const acl = (name: string): string =>
      spawnSync('getfacl', ['-cpn', at(name)], { encoding: 'utf8' }).stdout;
    assert.match(acl('d/local'), /user:77:/);
    assert.equal(acl('d/applied'), acl('d/local'));
  },
);

test('xattr flags are obeyed, removing an absent one is done already', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.setxattr(2, bytes('user.a'), bytes('1'), 1), 0);
  assert.equal(applier.setxattr(2, bytes('user.a'), bytes('2'), 1), EEXIST);
  assert.equal(applier.setxattr(2, bytes('user.a'), bytes('3'), 2), 0);
  assert.deepEqual(xattrOf(at('f'), 'user.a'), bytes('3'));
  assert.equal(applier.removexattr(2, bytes('user.a')), 0);
  assert.equal(applier.removexattr(2, bytes('user.a')), 0);
});

test('the mark on the root is out of reach of ops', { skip }, (context) => {
  const { applier, directory, create } = appliedTree(context);
  setXattrOf(directory, 'trusted.twinfs', 'mine');
  assert.equal(applier.setxattr(ROOT, bytes('trusted.twinfs'), bytes('theirs'), 0), 0);
  assert.equal(applier.removexattr(ROOT, bytes('trusted.twinfs')), 0);
  assert.deepEqual(xattrOf(directory, 'trusted.twinfs'), bytes('mine'));
  assert.equal(applier.setxattr(ROOT, bytes('trusted.other'), bytes('1'), 0), 0);
  assert.deepEqual(xattrOf(directory, 'trusted.other'), bytes('1'));
  create(2, ROOT, 'd', DIRECTORY);
  assert.equal(applier.setxattr(2, bytes('trusted.twinfs'), bytes('1'), 0), 0);
});
