/**
 * Checks of decoded fields. What the peer sends is not trusted: everything a later step relies on
 * (a name is one path component, a number is exact, an enum has a meaning) is settled here, once.
 * Each check gives the value in its plain form or throws ProtocolError "bad-message" with the field
 * named.
 */
import type { Id } from '../core/types.js';
import {
  NAME_BYTES_MAX,
  PATH_BYTES_MAX,
  SYMLINK_BYTES_MAX,
  TEXT_BYTES_MAX,
  WORD_BYTES_MAX,
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
} from '../limits.js';
import { badField } from './protocol-error.js';

/** MAX_ERRNO, linux/err.h. */
const ERRNO_MAX = 4095;
const SLASH = 0x2f;
const DOT = 0x2e;
const NANOS = 1_000_000_000;
const NANOS_BIG = 1_000_000_000n;
/** Times travel as signed 64-bit nanoseconds on both nodes. */
const TIME_MAX = 2n ** 63n - 1n;
const TIME_MIN = -(2n ** 63n);

/** A view of the bytes as a Buffer, without copying. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** A whole number of 0 … 2^53−1. */
export function whole(value: number, field: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw badField(field, 'not a whole number below 2^53');
}

/** A whole number of either sign. */
export function signed(value: number, field: string): number {
  if (Number.isSafeInteger(value)) return value;
  throw badField(field, 'not a whole number within ±2^53');
}

/** Like `whole`, but at least 1: seqs, refs, request numbers. */
export function positive(value: number, field: string): number {
  if (whole(value, field) >= 1) return value;
  throw badField(field, 'missing or 0');
}

export function atMost(value: number, max: number, field: string): number {
  if (whole(value, field) <= max) return value;
  throw badField(field, `more than ${max}`);
}

/** Offset plus length must be exact too. */
export function range(offset: number, length: number, field: string): void {
  whole(whole(offset, field) + whole(length, field), field);
}

/** One path component. */
export function name(bytes: Uint8Array, field: string): Buffer {
  const value = asBuffer(bytes);
  const problem = nameProblem(value, 0, value.length);
  if (problem !== null) throw badField(field, problem);
  return value;
}

function nameProblem(bytes: Buffer, from: number, to: number): string | null {
  const length = to - from;
  if (length === 0) return 'an empty name';
  if (length > NAME_BYTES_MAX) return `a name longer than ${NAME_BYTES_MAX} bytes`;
  if (length <= 2 && bytes[from] === DOT && bytes[to - 1] === DOT) return "a name '.' or '..'";
  for (let at = from; at < to; at += 1) {
    if (bytes[at] === 0) return 'a name with a NUL';
    if (bytes[at] === SLASH) return "a name with a '/'";
  }
  return null;
}

/** Components separated by '/', relative; empty is the root itself. */
export function path(bytes: Uint8Array, field: string): Buffer {
  const value = asBuffer(bytes);
  if (value.length === 0) return value;
  if (value.length > PATH_BYTES_MAX) throw badField(field, `longer than ${PATH_BYTES_MAX} bytes`);
  for (let from = 0; from <= value.length;) {
    const slash = value.indexOf(SLASH, from);
    const to = slash === -1 ? value.length : slash;
    const problem = nameProblem(value, from, to);
    if (problem !== null) throw badField(field, problem);
    from = to + 1;
  }
  return value;
}

export const MODE_MAX = 0o177777;
const TYPE_BITS = 0o170000;
const SYMLINK = 0o120000;
/** fifo, character device, directory, block device, regular, symlink, socket: inode(7). */
const TYPES: readonly number[] = [
  0o010000,
  0o020000,
  0o040000,
  0o060000,
  0o100000,
  SYMLINK,
  0o140000,
];

/** `st_mode` with type bits. */
export function typedMode(mode: number, field: string): number {
  if (mode <= MODE_MAX && TYPES.includes(mode & TYPE_BITS)) return mode;
  throw badField(field, `0o${mode.toString(8)} is no type and mode of a file`);
}

/** A symlink's target, any bytes but NUL; there exactly when `mode` says symlink. */
export function target(bytes: Uint8Array, mode: number, field: string): Buffer {
  const value = asBuffer(bytes);
  const symlink = (mode & TYPE_BITS) === SYMLINK;
  if (value.length > SYMLINK_BYTES_MAX) throw badField(field, 'longer than a symlink may be');
  if (value.includes(0)) throw badField(field, 'holds a NUL');
  if (symlink !== value.length > 0) {
    throw badField(field, symlink ? 'missing' : 'given for something that is no symlink');
  }
  return value;
}

export function xattrName(bytes: Uint8Array, field: string): Buffer {
  const value = asBuffer(bytes);
  if (value.length === 0 || value.length > XATTR_NAME_BYTES_MAX) {
    throw badField(field, `not 1 to ${XATTR_NAME_BYTES_MAX} bytes`);
  }
  if (value.includes(0)) throw badField(field, 'holds a NUL');
  return value;
}

export function xattrValue(bytes: Uint8Array, field: string): Buffer {
  if (bytes.length <= XATTR_VALUE_BYTES_MAX) return asBuffer(bytes);
  throw badField(field, `longer than ${XATTR_VALUE_BYTES_MAX} bytes`);
}

/** Stable names, versions, boot ids. */
export function word(text: string, field: string): string {
  if (text.length <= WORD_BYTES_MAX) return text;
  throw badField(field, `longer than ${WORD_BYTES_MAX} bytes`);
}

/** A sentence for the operator. */
export function text(value: string, field: string): string {
  if (value.length <= TEXT_BYTES_MAX) return value;
  throw badField(field, `longer than ${TEXT_BYTES_MAX} bytes`);
}

/** A positive errno of Linux (0 where there is none). */
export const errno = (value: number, field: string): number => atMost(value, ERRNO_MAX, field);

/** xxh64 values, 8 bytes each. */
export function hashes(bytes: Uint8Array, field: string): Buffer {
  if (bytes.length % 8 !== 0) throw badField(field, 'no multiple of 8 bytes');
  return asBuffer(bytes);
}

export function id(bytes: Uint8Array, field: string): Id {
  if (bytes.length === 8) return asBuffer(bytes).toString('hex');
  throw badField(field, 'not an id of 8 bytes');
}
export const idBytes = (value: Id): Buffer => Buffer.from(value, 'hex');

/** 64 bits, absent is zero. */
export function bits64(bytes: Uint8Array, field: string): bigint {
  if (bytes.length === 0) return 0n;
  if (bytes.length === 8) return asBuffer(bytes).readBigUInt64BE(0);
  throw badField(field, 'not 8 bytes');
}
export function bits64Bytes(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** Nanoseconds since the epoch from seconds (rounded down) and nanoseconds. */
export function time(seconds: number, nanos: number, field: string): bigint {
  if (!Number.isSafeInteger(seconds) || nanos >= NANOS) throw badField(field, 'not a time');
  const value = BigInt(seconds) * NANOS_BIG + BigInt(nanos);
  if (value > TIME_MAX || value < TIME_MIN) throw badField(field, 'a time beyond 64 bits');
  return value;
}
export function timeParts(value: bigint): { seconds: number; nanos: number } {
  const rest = value % NANOS_BIG;
  const nanos = rest < 0n ? rest + NANOS_BIG : rest;
  return { seconds: Number((value - nanos) / NANOS_BIG), nanos: Number(nanos) };
}

/** Both directions of an enum; 0 and unknown numbers are refused. */
export class Names<Name extends string> {
  readonly #names: readonly (Name | null)[];
  readonly #numbers = new Map<Name, number>();

  /** `names[i]` has the number i + 1. */
  constructor(names: readonly Name[]) {
    this.#names = [null, ...names];
    for (const [at, value] of names.entries()) this.#numbers.set(value, at + 1);
  }

  name(number: number, field: string): Name {
    const value = this.#names[number] ?? null;
    if (value === null) throw badField(field, `no meaning for ${number}`);
    return value;
  }

  number(value: Name): number {
    return this.#numbers.get(value) ?? 0;
  }
}

export const ROLES = new Names(['Primary', 'Secondary'] as const);
export const MODES = new Names(['sync', 'semi-sync', 'async'] as const);
export const DATA_STATES = new Names([
  'UpToDate',
  'Consistent',
  'Outdated',
  'Inconsistent',
] as const);
