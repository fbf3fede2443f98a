/**
 * What codec.ts knows of one type of message, and helpers for those that use the generated module.
 */
import { TEXT_BYTES_MAX } from '../limits.js';
import type { ByteWriter } from './byte-writer.js';
import type { Message } from './messages.js';
import { badField } from './protocol-error.js';
import { reader, type Reader } from './proto.js';

export interface MessageCodec<M extends Message> {
  /** The frame's type; never re-used for something else. */
  readonly number: number;
  /** Writes the protobuf message and gives the payload's parts in order. */
  write(to: ByteWriter, message: M): readonly Buffer[];
  /** Reads and checks. Throws ProtocolError "bad-message", or protobufjs' own errors. */
  read(message: Buffer, payload: Buffer): M;
}

export const NO_PAYLOAD: readonly Buffer[] = [];

/** What the generated module's encoders return. */
interface Finishable {
  finish(): Uint8Array;
}

/** For messages without a payload, through the generated module. */
export function plain<M extends Message>(
  number: number,
  encode: (message: M) => Finishable,
  decode: (message: Buffer) => M,
): MessageCodec<M> {
  return {
    number,
    write: (to, message) => {
      to.raw(encode(message).finish());
      return NO_PAYLOAD;
    },
    read: (message, payload) => {
      noPayload(payload);
      return decode(message);
    },
  };
}

export function noPayload(payload: Buffer): void {
  if (payload.length > 0) throw badField('payload', 'not expected with this message');
}

/** A sentence for the operator, cut to what the wire carries. */
export function sentence(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= TEXT_BYTES_MAX) return text;
  return bytes.toString('utf8', 0, TEXT_BYTES_MAX - 4).replace(/\uFFFD+$/, '') + '…';
}

/**
 * Refuses a message in which the repeated field at `path` (field numbers from the outside in)
 * occurs more than `max` times. Decoded objects are far larger than the two bytes an empty one
 * takes on the wire, so this comes before decoding.
 */
export function boundRepeated(message: Buffer, path: readonly number[], max: number): void {
  if (countField(reader(message), message.length, path, 0, max) > max) {
    throw badField(`field ${path.join('.')}`, `more than ${max} times`);
  }
}

function countField(
  from: Reader,
  end: number,
  path: readonly number[],
  depth: number,
  max: number,
): number {
  let count = 0;
  while (from.pos < end && count <= max) {
    const tag = from.uint32();
    if (tag >>> 3 !== path[depth] || (tag & 7) !== 2) {
      from.skipType(tag & 7);
    } else if (depth === path.length - 1) {
      count += 1;
      from.skipType(2);
    } else {
      const length = from.uint32();
      count += countField(from, Math.min(end, from.pos + length), path, depth + 1, max - count);
    }
  }
  return count;
}
