/** The system calls that Node lacks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { native } from '../../src/io/native.js';
import { listMounts } from '../helpers/mounts.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { bytes, O_PATH } from './applied-tree.js';

const skip = missing({ root: true, addon: true });

test('open takes any bytes and never leaks into children', { skip }, (context) => {
  const directory = tempDir(context, 'sys');
  const path = Buffer.concat([bytes(`${directory}/`), Buffer.from([0xff, 0x0a])]);
  const fd = native().open(path, fs.constants.O_CREAT | fs.constants.O_RDWR, 0o600);
  fs.writeSync(fd, 'x');
  assert.match(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /flags:\s+0?2\d*2\n/);
  native().close(fd);
  assert.equal(fs.readFileSync(path, 'utf8'), 'x');
  assert.throws(() => native().close(fd), { code: 'EBADF', errno: 9, syscall: 'close' });
});

test('errors carry code, errno and system call', { skip }, () => {
  assert.throws(() => native().open(bytes('/no/such/file'), 0, 0), {
    code: 'ENOENT',
    errno: 2,
    syscall: 'open',
    message: 'ENOENT: No such file or directory, open',
  });
});

test('xattrs through real and O_PATH descriptors', { skip }, (context) => {
  const directory = tempDir(context, 'sys');
  for (const flags of [O_PATH, fs.constants.O_RDONLY]) {
    const fd = native().open(bytes(directory), flags, 0);
    const name = `trusted.t${flags}`;
    assert.equal(native().getXattr(fd, name), null);
    native().setXattr(fd, name, Buffer.alloc(1500, 7));
    assert.deepEqual(native().getXattr(fd, name), Buffer.alloc(1500, 7));
    native().setXattr(fd, name, Buffer.alloc(0));
    assert.deepEqual(native().getXattr(fd, name), Buffer.alloc(0));
    native().close(fd);
  }
  assert.throws(() => native().getXattr(9999, 'trusted.t'), { code: 'ENOENT' });
});

test('space, identity and syncfs work on O_PATH descriptors', { skip }, async (context) => {
  const directory = tempDir(context, 'sys');
  const fd = native().open(bytes(directory), O_PATH, 0);
  const space = native().space(fd);
  const expected = fs.statfsSync(directory);
  assert.equal(space.totalBytes, expected.blocks * expected.bsize);
  assert.ok(space.freeBytes > 0 && space.availableBytes <= space.freeBytes);
  assert.ok(space.freeFiles > 0);
  const again = native().open(bytes(`${directory}/.`), fs.constants.O_RDONLY, 0);
  assert.match(native().identity(fd), /^\d+:\d+ \d+$/);
  assert.equal(native().identity(again), native().identity(fd));
  assert.notEqual(native().identity(0), native().identity(fd));
  const synced = native().syncfs(fd);
  native().close(fd);
  await synced;
  await native().syncfs(again);
  native().close(again);
  await assert.rejects(native().syncfs(again), { code: 'EBADF', syscall: 'syncfs' });
});

test(
  'a read-only bind keeps nosuid and refuses writes; unmount undoes it',
  { skip },
  async (context) => {
    const directory = tempDir(context, 'sys');
    const at = join(directory, 'm');
    fs.mkdirSync(at);
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,nodev', 'none', at]);
    assert.equal(mount.status, 0);
    fs.writeFileSync(join(at, 'f'), '');
    await native().bindReadOnly(bytes(at));
    assert.throws(() => fs.writeFileSync(join(at, 'f'), 'x'), { code: 'EROFS' });
    assert.throws(() => fs.mkdirSync(join(at, 'd')), { code: 'EROFS' });
    const [below, view] = listMounts().filter(({ mountpoint }) => mountpoint === at);
    assert.match(below?.options ?? '', /^rw,nosuid,nodev/);
    assert.match(view?.options ?? '', /^ro,nosuid,nodev/);
    const held = fs.openSync(join(at, 'f'), 'r');
    await assert.rejects(native().unmount(bytes(at), false), { code: 'EBUSY', syscall: 'umount' });
    await native().unmount(bytes(at), true);
    fs.closeSync(held);
    fs.writeFileSync(join(at, 'f'), 'x');
    await native().unmount(bytes(at), false);
    await assert.rejects(native().unmount(bytes(at), false), { code: 'EINVAL' });
    await assert.rejects(native().bindReadOnly(bytes(`${at}/none`)), { code: 'ENOENT' });
  },
);
