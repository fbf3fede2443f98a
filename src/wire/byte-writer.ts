/**
 * Writes protobuf's wire format straight into one growing buffer. protobufjs' Writer builds a list
 * of field objects first, which for the messages of the hot path (op-codec.ts) costs several times
 * more; a property test holds both to the same bytes.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { assert } from '../assert.js';

export const VARINT = 0;
export const LENGTH_DELIMITED = 2;
const UINT32_SPAN = 2 ** 32;
/** A field's tag and varint take no more. */
const SCALAR_BYTES_MAX = 12;

export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** What is written; valid until the next `start`. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Forgets everything and leaves `reserved` bytes free at the beginning. */
  start(reserved: number): void {
    this.#at = reserved;
  }

  /** A whole number; 0 is left out, as proto3 does. */
  uint(field: number, value: number): void {
    if (value !== 0) this.uintAlways(field, value);
  }

  /** For `optional` fields, whose presence means something. */
  uintAlways(field: number, value: number): void {
    this.#ensure(SCALAR_BYTES_MAX);
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  /** A signed number in zigzag form. */
  sint(field: number, value: number): void {
    if (value !== 0) this.sintAlways(field, value);
  }

  sintAlways(field: number, value: number): void {
    this.uintAlways(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.#ensure(SCALAR_BYTES_MAX + value.length);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(field: number, value: string): void {
    if (value !== '') this.bytes(field, Buffer.from(value, 'utf8'));
  }

  /** An encoded message, or a part of one, as it is. */
  raw(value: Uint8Array): void {
    this.#ensure(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Begins a nested message; give the result to `end`. */
  begin(field: number): number {
    this.#ensure(SCALAR_BYTES_MAX);
    this.#varint((field << 3) | LENGTH_DELIMITED);
    this.#at += 1;
    return this.#at;
  }

  /** Ends a nested message. One byte was kept for its length; a longer one moves the content up. */
  end(begun: number): void {
    const length = this.#at - begun;
    if (length < 0x80) {
      this.#bytes[begun - 1] = length;
      return;
    }
    this.#ensure(SCALAR_BYTES_MAX);
    let extra = 1;
    for (let rest = length >>> 14; rest !== 0; rest >>>= 7) extra += 1;
    this.#bytes.copyWithin(begun + extra, begun, this.#at);
    this.#at = begun - 1;
    this.#varint(length);
    assert(this.#at === begun + extra, 'a length takes the bytes that were made for it');
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    assert(Number.isSafeInteger(rest) && rest >= 0, 'a number on the wire is whole and exact');
    while (rest >= UINT32_SPAN) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  #ensure(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
