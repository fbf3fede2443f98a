import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  BATCH_OPS_MAX,
  BATCH_PAYLOAD_BYTES_MAX,
  WRITE_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
} from '../../../src/limits.js';
import type { Op } from '../../../src/op/op.js';
import { batches, entryBytes } from '../../../src/wire/batches.js';
import { encode } from '../../../src/wire/codec.js';
import { initHash } from '../../../src/wire/hash.js';
import type { Meta, OpsMessage } from '../../../src/wire/messages.js';

const write = (bytes: number): Op => ({
  kind: 'write',
  ref: 2 ** 52,
  offset: 2 ** 52,
  data: Buffer.alloc(bytes),
  killPriv: true,
});
const xattr = (bytes: number): Op => ({
  kind: 'setxattr',
  ref: 2 ** 52,
  name: Buffer.alloc(255, 'x'),
  value: Buffer.alloc(bytes),
  flags: 3,
});
const fsync: Op = { kind: 'fsync', ref: 1, dataOnly: true };

/** The messages carry exactly `ops`, in order, without a gap, and each fits a frame. */
function check(messages: readonly OpsMessage[], firstSeq: number, ops: readonly Op[]): void {
  assert.deepEqual(
    messages.flatMap((message) => message.ops),
    ops,
  );
  let seq = firstSeq;
  for (const message of messages) {
    assert.equal(message.firstSeq, seq);
    assert.ok(message.ops.length > 0);
    encode(message, { checksum: false });
    seq += message.ops.length;
  }
}

describe('ops are cut into messages', () => {
  before(initHash);

  test('no ops, no message', () => {
    assert.deepEqual(batches(5, []), []);
  });

  test('what fits is one message', () => {
    const ops = [write(4096), fsync, write(100)];
    const messages = batches(9, ops);
    assert.equal(messages.length, 1);
    check(messages, 9, ops);
  });

  test('by count', () => {
    const ops = Array.from({ length: 2 * BATCH_OPS_MAX + 1 }, () => fsync);
    const messages = batches(1, ops);
    assert.equal(messages.length, 3);
    check(messages, 1, ops);
  });

  test('by payload', () => {
    const ops = Array.from({ length: 9 }, () => write(WRITE_BYTES_MAX));
    const messages = batches(1, ops);
    assert.deepEqual(
      messages.map((message) => message.ops.length),
      [4, 4, 1],
    );
    check(messages, 1, ops);
  });

  test('a payload exactly at the limit is not cut', () => {
    const ops = [write(BATCH_PAYLOAD_BYTES_MAX - 10), write(10)];
    assert.equal(batches(1, ops).length, 1);
    assert.equal(batches(1, [...ops, write(1)]).length, 2);
  });

  test('by message', () => {
    const ops = Array.from({ length: 50 }, () => xattr(XATTR_VALUE_BYTES_MAX));
    const messages = batches(1, ops);
    assert.ok(messages.length >= 3);
    check(messages, 1, ops);
  });
});

describe('the size of a directory entry', () => {
  test('is never underestimated', () => {
    const name = Buffer.alloc(255, 'n');
    const xattrs = Array.from({ length: 20 }, (_, at) => ({
      name: Buffer.from(`user.${at}`),
      value: Buffer.alloc(at * 100),
    }));
    const meta: Meta = {
      mode: 0o120777,
      uid: 0xffffffff,
      gid: 0xffffffff,
      size: Number.MAX_SAFE_INTEGER,
      mtime: -(2n ** 63n),
      rdev: 0xffffffff,
      target: Buffer.alloc(4096, 't'),
      xattrs,
      linkGroup: 2n ** 64n - 1n,
    };
    const list = { type: 'dirList', id: 1, path: Buffer.alloc(0), last: true } as const;
    const self = { ...meta, target: Buffer.from('t'), xattrs: [] };
    const size = (entries: readonly { name: Buffer; meta: Meta }[]): number =>
      encode({ ...list, self, entries }, { checksum: false })[0]?.length ?? 0;
    const actual = size([{ name, meta }]) - size([]);
    assert.ok(actual <= entryBytes(name, meta), `${actual} > ${entryBytes(name, meta)}`);
    assert.ok(entryBytes(name, meta) < actual + 500);
  });
});
