/**
 * Damaged and hostile bytes: never a crash, never a wrong message, always a named error, never more
 * memory than the bounds say.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../src/wire/codec.js';
import { FrameDecoder, PREFIX_BYTES, sealFrame } from '../../src/wire/frame.js';
import { initHash } from '../../src/wire/hash.js';
import type { Message } from '../../src/wire/messages.js';
import { ProtocolError } from '../../src/wire/protocol-error.js';
import { message, messages } from './wire-messages.js';

const CODES = [
  'bad-magic',
  'wrong-version',
  'frame-too-long',
  'bad-checksum',
  'unknown-type',
  'bad-message',
];

interface Outcome {
  readonly received: readonly Message[];
  /** Code of the ProtocolError, null when there was none. Any other error is thrown. */
  readonly code: string | null;
  readonly text: string;
}

function receive(bytes: Buffer): Outcome {
  const received: Message[] = [];
  try {
    new FrameDecoder({ checksum: true }).push(bytes, (frame) => received.push(decode(frame)));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    assert.ok(CODES.includes(error.code), error.code);
    assert.equal(error.exit, 'protocol');
    return { received, code: error.code, text: error.message };
  }
  return { received, code: null, text: '' };
}

const frames = (list: readonly Message[]): Buffer[] =>
  list.map((one) => Buffer.concat(encode(one, { checksum: true })));

/** A frame around any bytes, with a right checksum. */
function seal(type: number, body: Buffer, payload: Buffer): Buffer {
  const head = Buffer.concat([Buffer.alloc(PREFIX_BYTES), body]);
  return Buffer.concat(sealFrame(head, type, 0, payload.length > 0 ? [payload] : [], true));
}

describe('damaged streams', () => {
  before(initHash);

  test('a changed byte is found in its frame, and nothing wrong comes out before', () => {
    const where = fc
      .nat()
      .chain((at) => fc.tuple(fc.constant(at), fc.integer({ min: 1, max: 255 })));
    fc.assert(
      fc.property(messages, where, (list, [seed, change]) => {
        const parts = frames(list);
        const bytes = Buffer.concat(parts);
        const at = seed % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const { received, code } = receive(bytes);
        let whole = 0;
        for (let end = parts[0]?.length ?? 0; end <= at; end += parts[whole]?.length ?? 0)
          whole += 1;
        assert.deepEqual(received, list.slice(0, whole));
        assert.notEqual(code, null);
      }),
      { numRuns: 500 },
    );
  });

  test('a piece that is missing, doubled or foreign never becomes a message', () => {
    const edits = fc.array(
      fc.record({ at: fc.nat(), cut: fc.nat({ max: 50 }), put: fc.uint8Array({ maxLength: 50 }) }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(messages, edits, (list, changes) => {
        let bytes = Buffer.concat(frames(list));
        let first = bytes.length;
        for (const { at, cut, put } of changes) {
          const from = at % (bytes.length + 1);
          first = Math.min(first, from);
          bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]);
        }
        const { received } = receive(bytes);
        // A cut of whole frames leaves whole frames: all that comes out was sent, in this order.
        let next = 0;
        for (const one of received) {
          const found = list.findIndex((sent, at) => at >= next && equal(sent, one));
          assert.ok(found >= 0, 'a message that nobody sent');
          next = found + 1;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('noise gives a named error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 28, maxLength: 400 }), (noise) => {
        const { received, code } = receive(Buffer.from(noise));
        assert.deepEqual(received, []);
        assert.notEqual(code, null);
      }),
      { numRuns: 300 },
    );
  });
});

describe('hostile messages in sound frames', () => {
  before(initHash);

  test('noise as the message of any type', () => {
    const noise = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(fc.nat({ max: 255 }), noise, noise, (type, body, payload) => {
        sound(receive(seal(type, Buffer.from(body), Buffer.from(payload))));
      }),
      { numRuns: 1500 },
    );
  });

  test('a right message with some bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(message, changes, (one, list) => {
        const frame = Buffer.concat(encode(one, { checksum: true }));
        const bodyLength = frame.readUInt32LE(8);
        const body = frame.subarray(PREFIX_BYTES, PREFIX_BYTES + bodyLength);
        if (bodyLength > 0) for (const [at, byte] of list) body[at % bodyLength] = byte;
        sound(receive(seal(frame.readUInt8(5), body, frame.subarray(PREFIX_BYTES + bodyLength))));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Either refused, or a message that is valid: it can be sent and comes back the same. */
function sound({ received, code, text }: Outcome): void {
  if (code !== null) {
    assert.ok(text.length > 0);
    return;
  }
  const [one] = received;
  if (one === undefined) return;
  const again = receive(Buffer.concat(encode(one, { checksum: true })));
  assert.equal(again.code, null, again.text);
  assert.deepEqual(again.received, [one]);
}

function equal(a: Message, b: Message): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
