/** Whatever is sent arrives, however the stream is cut. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { FRAME_MESSAGE_BYTES_MAX, RECEIVE_SLAB_BYTES } from '../../src/limits.js';
import { decode, encode } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { initHash } from '../../src/wire/hash.js';
import type { Message, MessageType } from '../../src/wire/messages.js';
import { byType, chunking, messages } from './wire-messages.js';

/** What a decoder makes of `stream`, given in chunks of these lengths, one after the other. */
function receive(stream: Buffer, chunks: readonly number[], checksum: boolean): Message[] {
  const decoder = new FrameDecoder({ checksum });
  const received: Message[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const length = chunks[turn % chunks.length] ?? 1;
    // A copy, as a socket's chunks are: nothing of it may be needed afterwards.
    const chunk = Buffer.from(stream.subarray(at, at + length));
    decoder.push(chunk, (frame) => received.push(decode(frame)));
    chunk.fill(0xee);
    at += length;
  }
  assert.equal(decoder.pendingBytes, 0);
  return received;
}

const stream = (list: readonly Message[], checksum: boolean): Buffer =>
  Buffer.concat(list.flatMap((message) => encode(message, { checksum })));

describe('messages arrive as they were sent', () => {
  before(initHash);

  for (const type of Object.keys(byType) as MessageType[]) {
    test(type, () => {
      fc.assert(
        fc.property(byType[type] as fc.Arbitrary<Message>, chunking, (message, chunks) => {
          assert.deepEqual(receive(stream([message], true), chunks, true), [message]);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('several together, with and without checksums', () => {
    fc.assert(
      fc.property(messages, chunking, fc.boolean(), (list, chunks, checksum) => {
        assert.deepEqual(receive(stream(list, checksum), chunks, checksum), list);
      }),
      { numRuns: 300 },
    );
  });

  test('frames around the size of the receive memory', () => {
    const lengths = fc.array(
      fc.oneof(
        fc.integer({ min: RECEIVE_SLAB_BYTES / 2 - 200, max: RECEIVE_SLAB_BYTES / 2 + 200 }),
        fc.integer({ min: RECEIVE_SLAB_BYTES - 200, max: RECEIVE_SLAB_BYTES + 200 }),
        fc.integer({ min: 0, max: 3 * RECEIVE_SLAB_BYTES }),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(lengths, fc.integer({ min: 500, max: 100_000 }), (list, chunk) => {
        const sent = list.map((length, at): Message => {
          const data = Buffer.alloc(length, at + 1);
          const op = { kind: 'write', ref: 1, offset: 0, data, killPriv: false } as const;
          return { type: 'ops', firstSeq: at + 1, ops: [op] };
        });
        assert.deepEqual(receive(stream(sent, true), [chunk], true), sent);
      }),
      { numRuns: 60 },
    );
  });

  test('a message as long as a frame may be', () => {
    const hashes = Buffer.alloc(FRAME_MESSAGE_BYTES_MAX - 64, 5);
    const message: Message = {
      type: 'fileHashes',
      id: 1,
      firstBlock: 0,
      hashes,
      last: true,
      size: 0,
      problem: null,
    };
    assert.deepEqual(receive(stream([message], true), [65_536], true), [message]);
  });
});
