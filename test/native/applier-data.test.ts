/** Content: writes, truncation, allocation, copies, and the privileges that a write takes away. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { appliedTree, bytes, DIRECTORY, ROOT, xattrOf } from './applied-tree.js';

const { EINVAL, EIO } = osConstants.errno;
const skip = missing({ root: true, addon: true });
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;

test('writes anywhere, truncates, leaves holes', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.write(2, 5 * 2 ** 30, bytes('far'), false), 0);
  assert.equal(applier.write(2, 0, bytes('near'), false), 0);
  const stat = fs.statSync(at('f'));
  assert.equal(stat.size, 5 * 2 ** 30 + 3);
  assert.ok(stat.blocks < 100, `${stat.blocks} blocks`);
  assert.equal(applier.truncate(2, 6, false), 0);
  assert.deepEqual(fs.readFileSync(at('f')), bytes('near\0\0'));
});

test('fallocate with its modes', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'f');
  assert.equal(applier.write(2, 0, Buffer.alloc(3 * 4096, 'x'), false), 0);
  assert.equal(applier.fallocate(2, PUNCH_HOLE | KEEP_SIZE, 4096, 4096), 0);
  assert.equal(applier.fallocate(2, ZERO_RANGE, 8192, 10), 0);
  const content = fs.readFileSync(at('f'));
  assert.ok(content.subarray(4096, 8202).every((byte) => byte === 0));
  assert.equal(content[8202], 'x'.charCodeAt(0));
  assert.equal(applier.fallocate(2, 0, 0, 100_000), 0);
  assert.equal(fs.statSync(at('f')).size, 100_000);
  assert.equal(applier.fallocate(2, KEEP_SIZE, 0, 2_000_000), 0);
  assert.ok(fs.statSync(at('f')).blocks * 512 >= 2_000_000);
});

test('copyRange copies exactly, and says when the source is short', { skip }, (context) => {
  const { applier, at, create } = appliedTree(context);
  create(2, ROOT, 'from');
  create(3, ROOT, 'to');
  assert.equal(applier.write(2, 0, bytes('0123456789'), false), 0);
  assert.equal(applier.copyRange(2, 3, 3, 2, 5), 0);
  assert.deepEqual(fs.readFileSync(at('to')), bytes('\0\x0034567'));
  assert.equal(applier.copyRange(2, 8, 3, 0, 5), EIO);
});

test('data ops on what is not a regular file are refused', { skip }, (context) => {
  const { applier, create } = appliedTree(context);
  create(2, ROOT, 'd', DIRECTORY);
  create(3, ROOT, 'p', 0o010644);
  assert.equal(applier.write(2, 0, bytes('x'), false), EINVAL);
  assert.equal(applier.write(3, 0, bytes('x'), false), EINVAL);
});

test(
  'killPriv clears what an unprivileged write clears, each time it is set',
  { skip },
  (context) => {
    const { applier, at, create } = appliedTree(context);
    create(2, ROOT, 'f', 0o106775);
    const mode = (): number => fs.statSync(at('f')).mode & 0o7777;
    assert.equal(applier.write(2, 0, bytes('x'), false), 0);
    assert.equal(mode(), 0o6775, 'a privileged write leaves them');
    assert.equal(applier.write(2, 0, bytes('x'), true), 0);
    assert.equal(mode(), 0o775);
    assert.equal(applier.setattr(2, 0o106765, 0, 0), 0);
    assert.equal(applier.truncate(2, 0, true), 0);
    assert.equal(mode(), 0o2765, 'sgid stays where the group may not execute');
    assert.equal(applier.setattr(2, 0o102775, 0, 0), 0);
    assert.equal(applier.write(2, 0, bytes('x'), true), 0);
    assert.equal(mode(), 0o775, 'and goes where it may');
  },
);

test('killPriv removes file capabilities', { skip }, (context) => {
  const { applier, at, bind } = appliedTree(context);
  fs.writeFileSync(at('f'), '');
  bind(2, ROOT, 'f');
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  assert.equal(applier.setxattr(2, bytes('security.capability'), capability, 0), 0);
  assert.equal(applier.truncate(2, 0, true), 0);
  assert.equal(xattrOf(at('f'), 'security.capability'), null);
});
