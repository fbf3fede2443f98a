import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  FRAME_MESSAGE_BYTES_MAX,
  FRAME_PAYLOAD_BYTES_MAX,
  RECEIVE_SLAB_BYTES,
} from '../../../src/limits.js';
import { FrameDecoder, PREFIX_BYTES, sealFrame, type Frame } from '../../../src/wire/frame.js';
import { hash32, initHash } from '../../../src/wire/hash.js';
import { ProtocolError } from '../../../src/wire/protocol-error.js';

function frame(message: Buffer, payload: Buffer, checksum = true): Buffer {
  const head = Buffer.concat([Buffer.alloc(PREFIX_BYTES), message]);
  return Buffer.concat(sealFrame(head, 9, 0, [payload], checksum));
}

function decode(bytes: Buffer, checksum = true): Frame[] {
  const frames: Frame[] = [];
  new FrameDecoder({ checksum }).push(bytes, (one) => frames.push(one));
  return frames;
}

/** Makes the prefix check right again after its fields were changed. */
function resealPrefix(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(hash32(bytes.subarray(0, 16)), 16);
  return bytes;
}

const code = (expected: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ProtocolError);
  assert.equal(error.code, expected);
  assert.match(error.message, text);
  return true;
};

describe('frames', () => {
  before(initHash);
  const message = Buffer.from('message');
  const payload = Buffer.from('payload');

  test('the prefix is as documented', () => {
    const bytes = frame(message, payload);
    assert.equal(bytes.toString('latin1', 0, 4), 'twfs');
    assert.deepEqual([...bytes.subarray(4, 16)], [1, 9, 1, 0, 7, 0, 0, 0, 7, 0, 0, 0]);
    assert.equal(bytes.length, 28 + 14);
    assert.equal(bytes.toString('latin1', 28), 'messagepayload');
  });

  test('parts of the payload are sent as they are, not copied', () => {
    const head = Buffer.alloc(PREFIX_BYTES);
    const parts = sealFrame(head, 1, 0, [payload], true);
    assert.equal(parts[0], head);
    assert.equal(parts[1], payload);
  });

  test('the payload may begin behind the message', () => {
    const head = Buffer.concat([Buffer.alloc(PREFIX_BYTES), message, payload.subarray(0, 3)]);
    const bytes = Buffer.concat(sealFrame(head, 9, 3, [payload.subarray(3)], true));
    assert.deepEqual(bytes, frame(message, payload));
  });

  test('a frame without checksum passes only where the channel protects it', () => {
    const bytes = frame(message, payload, false);
    assert.equal(decode(bytes, false)[0]?.payload.toString(), 'payload');
    assert.throws(() => decode(bytes, true), code('bad-checksum', /without a checksum/));
  });

  test('a checksum is verified even where it is not required', () => {
    const bytes = frame(message, payload);
    bytes[30] = 0;
    assert.throws(() => decode(bytes, false), code('bad-checksum', /damaged/));
  });

  test('something else than twinfs', () => {
    const http = Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n');
    assert.throws(() => decode(http), code('bad-magic', /does not speak twinfs.*47455420/));
  });

  test('another version is named, before its fields are looked at', () => {
    const bytes = frame(message, payload);
    bytes[4] = 7;
    assert.throws(() => decode(bytes), code('wrong-version', /version 7.*version 1/));
  });

  test('unknown flags are of another version', () => {
    const bytes = frame(message, payload);
    bytes.writeUInt16LE(3, 6);
    assert.throws(() => decode(resealPrefix(bytes)), code('wrong-version', /flags \(0x3\)/));
  });

  test('a damaged length is found with the prefix, not after waiting for the rest', () => {
    const bytes = frame(message, payload).subarray(0, PREFIX_BYTES);
    bytes.writeUInt32LE(100_000, 12);
    assert.throws(() => decode(bytes), code('bad-checksum', /prefix/));
  });

  for (const [at, max, what] of [
    [8, FRAME_MESSAGE_BYTES_MAX, /message of 2097153 bytes/],
    [12, FRAME_PAYLOAD_BYTES_MAX, /payload of 8388609 bytes/],
  ] as const) {
    test(`a length beyond ${max} is refused before memory is taken`, () => {
      const bytes = frame(message, payload).subarray(0, PREFIX_BYTES);
      bytes.writeUInt32LE(max + 1, at);
      const taken = process.memoryUsage().arrayBuffers;
      assert.throws(() => decode(resealPrefix(bytes)), code('frame-too-long', what));
      assert.ok(process.memoryUsage().arrayBuffers - taken <= RECEIVE_SLAB_BYTES + 65_536);
    });
  }

  test('an incomplete frame of the greatest length takes its length and one slab', () => {
    const bytes = Buffer.from(frame(message, payload).subarray(0, PREFIX_BYTES));
    bytes.writeUInt32LE(FRAME_MESSAGE_BYTES_MAX, 8);
    bytes.writeUInt32LE(FRAME_PAYLOAD_BYTES_MAX, 12);
    resealPrefix(bytes);
    const taken = process.memoryUsage().arrayBuffers;
    const decoder = new FrameDecoder({ checksum: true });
    decoder.push(bytes, () => assert.fail('no frame is complete'));
    for (let at = 0; at < 100; at += 1) decoder.push(Buffer.alloc(1000), () => undefined);
    const bound =
      PREFIX_BYTES + FRAME_MESSAGE_BYTES_MAX + FRAME_PAYLOAD_BYTES_MAX + RECEIVE_SLAB_BYTES;
    assert.ok(process.memoryUsage().arrayBuffers - taken <= bound + 300_000);
    assert.equal(decoder.pendingBytes, PREFIX_BYTES + 100_000);
  });

  test('frames before a broken one are given', () => {
    const bytes = Buffer.concat([frame(message, payload), Buffer.alloc(40)]);
    const frames: Frame[] = [];
    const decoder = new FrameDecoder({ checksum: true });
    assert.throws(() => decoder.push(bytes, (one) => frames.push(one)), ProtocolError);
    assert.equal(frames.length, 1);
  });

  test('a frame given stays as it is while others arrive', () => {
    const decoder = new FrameDecoder({ checksum: true });
    const frames: Frame[] = [];
    const count = (3 * RECEIVE_SLAB_BYTES) / 1000;
    for (let at = 0; at < count; at += 1) {
      const bytes = frame(message, Buffer.alloc(1000, at));
      for (const part of [bytes.subarray(0, 500), bytes.subarray(500)]) {
        decoder.push(part, (one) => frames.push(one));
      }
    }
    assert.ok(frames.length > 500);
    for (const [at, one] of frames.entries()) {
      assert.deepEqual(one.payload, Buffer.alloc(1000, at));
    }
  });
});
