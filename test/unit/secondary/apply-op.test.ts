/** Every op becomes exactly its call; the queue knows what it holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WriteOp } from '../../../src/op/op.js';
import { applyOp, describeOp, errnoName } from '../../../src/secondary/apply-op.js';
import type { OpApplier, PlainOp } from '../../../src/secondary/apply-op.js';
import { OpQueue } from '../../../src/secondary/op-queue.js';
import { mkdir, write } from './harness.js';

const name = Buffer.from('n');
const value = Buffer.from('v');

test('ops and calls', () => {
  const table: readonly (readonly [PlainOp, readonly unknown[]])[] = [
    [{ kind: 'bind', ref: 2, parent: 1, name }, ['bind', 2, 1, name]],
    [{ kind: 'forget', ref: 2 }, ['forget', 2]],
    [
      { kind: 'write', ref: 2, offset: 3, data: value, killPriv: true },
      ['write', 2, 3, value, true],
    ],
    [{ kind: 'truncate', ref: 2, size: 3, killPriv: false }, ['truncate', 2, 3, false]],
    [{ kind: 'fallocate', ref: 2, mode: 3, offset: 4, length: 5 }, ['fallocate', 2, 3, 4, 5]],
    [
      { kind: 'copyRange', from: 2, fromOffset: 3, ref: 4, offset: 5, length: 6 },
      ['copyRange', 2, 3, 4, 5, 6],
    ],
    [
      { kind: 'create', ref: 2, parent: 1, name, mode: 3, uid: 4, gid: 5, rdev: 6, target: value },
      ['create', 2, 1, name, 3, 4, 5, 6, value],
    ],
    [{ kind: 'link', ref: 2, parent: 1, name }, ['link', 2, 1, name]],
    [{ kind: 'unlink', parent: 1, name, directory: true }, ['unlink', 1, name, true]],
    [
      { kind: 'rename', parent: 1, name, newParent: 2, newName: value, flags: 3 },
      ['rename', 1, name, 2, value, 3],
    ],
    [{ kind: 'setattr', ref: 2, mode: 3, uid: 4, gid: 5 }, ['setattr', 2, 3, 4, 5]],
    [{ kind: 'times', ref: 2, mtime: 3n, atime: null }, ['times', 2, 3n, null]],
    [{ kind: 'setxattr', ref: 2, name, value, flags: 1 }, ['setxattr', 2, name, value, 1]],
    [{ kind: 'removexattr', ref: 2, name }, ['removexattr', 2, name]],
  ];
  for (const [op, call] of table) {
    const calls: unknown[][] = [];
    const recorder = new Proxy({} as OpApplier, {
      get:
        (_, method) =>
        (...args: unknown[]) => {
          calls.push([method, ...args]);
          return 7;
        },
    });
    assert.equal(applyOp(recorder, op), 7, op.kind);
    assert.deepEqual(calls, [call]);
    assert.match(describeOp(op), new RegExp(`^${op.kind}`));
  }
});

test('errnos have names, unknown ones a number', () => {
  assert.equal(errnoName(116), 'ESTALE');
  assert.equal(errnoName(28), 'ENOSPC');
  assert.equal(errnoName(4095), 'errno 4095');
});

const refOfHead = (queue: OpQueue): number => (queue.head as unknown as WriteOp).ref;

test('the queue gives ops in order and bytes back by message', () => {
  const queue = new OpQueue();
  assert.equal(queue.head, null);
  queue.push([write(2, 1000), mkdir(3)]);
  queue.push([write(4, 500)]);
  assert.equal(queue.diskBytes, 1000 + 4096 + 500);
  const all = queue.memoryBytes;
  assert.ok(all >= 1500);
  queue.advance();
  assert.deepEqual(queue.head, mkdir(3));
  assert.equal(queue.memoryBytes, all);
  queue.advance();
  assert.ok(queue.memoryBytes < all);
  assert.deepEqual([queue.diskBytes, queue.takeDoneDiskBytes()], [500, 5096]);
  assert.equal(queue.takeDoneDiskBytes(), 0);
  queue.advance();
  assert.deepEqual([queue.head, queue.memoryBytes, queue.diskBytes], [null, 0, 0]);
  assert.throws(() => queue.advance(), { name: 'AssertionError' });
});

test('a long queue keeps its order', () => {
  const queue = new OpQueue();
  let next = 0;
  for (let round = 0; round < 5000; round++) {
    queue.push([write(2 * round), write(2 * round + 1)]);
    if (round % 3 === 0) continue;
    assert.deepEqual(refOfHead(queue), next++);
    queue.advance();
  }
  for (; queue.head !== null; queue.advance()) {
    assert.equal(refOfHead(queue), next++);
  }
  assert.equal(next, 10_000);
});
