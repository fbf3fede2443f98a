/**
 * Ops and acks are written and read by hand (op-writer.ts, op-reader.ts, session-codec.ts). Here
 * the module generated from twinfs.proto is the judge: both make the same bytes and understand each
 * other.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../src/wire/byte-writer.js';
import { initHash } from '../../src/wire/hash.js';
import { readOps } from '../../src/wire/op-reader.js';
import { writeOps } from '../../src/wire/op-writer.js';
import { pb } from '../../src/wire/proto.js';
import { ack as ackCodec } from '../../src/wire/session-codec.js';
import type { AckMessage } from '../../src/wire/messages.js';
import { ack, ops } from './wire-messages.js';

const writer = new ByteWriter(64);

describe('the hot path speaks the schema', () => {
  before(initHash);

  test('an OpBatch survives the generated module unchanged', () => {
    fc.assert(
      fc.property(ops, (message) => {
        writer.start(0);
        const payload = writeOps(writer, message);
        const bytes = Buffer.from(writer.written);
        const decoded = pb.OpBatch.decode(bytes);
        const again = Buffer.from(pb.OpBatch.encode(decoded).finish());
        assert.deepEqual(again, bytes);
        assert.deepEqual(readOps(again, Buffer.concat(payload)), message);
      }),
      { numRuns: 500 },
    );
  });

  test('the fields are where the schema says', () => {
    const data = Buffer.from('data');
    writer.start(0);
    writeOps(writer, {
      type: 'ops',
      firstSeq: 7,
      ops: [
        { kind: 'write', ref: 3, offset: 4096, data, killPriv: true },
        { kind: 'times', ref: 4, mtime: -1n, atime: 0n },
        {
          kind: 'rename',
          parent: 5,
          name: Buffer.from('a'),
          newParent: 6,
          newName: Buffer.from('b'),
          flags: 1,
        },
        { kind: 'copyRange', from: 8, fromOffset: 9, ref: 10, offset: 11, length: 12 },
        { kind: 'barrier', why: 'flush', mode: 'async' },
      ],
    });
    const batch = pb.OpBatch.decode(Buffer.from(writer.written));
    assert.equal(batch.firstSeq, 7);
    const [write, times, rename, copy, barrier] = batch.ops as pb.Op[];
    const { Kind } = pb.Op;
    assert.deepEqual(
      [write?.kind, write?.ref, write?.offset, write?.length, write?.flags],
      [Kind.WRITE, 3, 4096, 4, 1],
    );
    assert.deepEqual(
      [times?.kind, times?.ref, times?.mtimeSeconds, times?.mtimeNanos, times?.atimeSeconds],
      [Kind.TIMES, 4, -1, 999_999_999, 0],
    );
    assert.deepEqual(
      [rename?.kind, rename?.parent, rename?.newParent, rename?.flags],
      [Kind.RENAME, 5, 6, 1],
    );
    assert.deepEqual(
      [rename?.name, rename?.newName].map((name) => Buffer.from(name ?? []).toString()),
      ['a', 'b'],
    );
    assert.deepEqual(
      [copy?.kind, copy?.parent, copy?.fromOffset, copy?.ref, copy?.offset, copy?.length],
      [Kind.COPY_RANGE, 8, 9, 10, 11, 12],
    );
    assert.deepEqual(
      [barrier?.kind, barrier?.why, barrier?.streamMode],
      [Kind.BARRIER, 'flush', pb.Mode.ASYNC],
    );
  });

  test('an Ack survives the generated module unchanged', () => {
    fc.assert(
      fc.property(ack, (message: AckMessage) => {
        writer.start(0);
        ackCodec.write(writer, message);
        const bytes = Buffer.from(writer.written);
        const decoded = pb.Ack.decode(bytes);
        assert.deepEqual(
          [decoded.received, decoded.applied, decoded.durable],
          [message.received, message.applied, message.durable],
        );
        assert.equal(decoded.failedSeq, message.failed?.seq ?? 0);
        assert.equal(decoded.freeBytes ?? null, message.space?.freeBytes ?? null);
        const again = Buffer.from(pb.Ack.encode(decoded).finish());
        assert.deepEqual(again, bytes);
        assert.deepEqual(ackCodec.read(again, Buffer.alloc(0)), message);
      }),
      { numRuns: 500 },
    );
  });
});
