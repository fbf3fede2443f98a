/**
 * The records of the native session (layout in io/native.ts) → `Change`s. This is on the path of
 * every write: payloads are views into the batch, nothing is copied.
 */
import { assert } from '../assert.js';
import { RECORD_HEADER_BYTES } from '../io/native.js';
import type { Op } from '../op/op.js';
import type { Change } from './engine.js';

/** Kinds of records: the numbers of `Op.Kind` in twinfs.proto. */
export const KIND = {
  bind: 1,
  forget: 2,
  write: 3,
  truncate: 4,
  fallocate: 5,
  copyRange: 6,
  create: 7,
  link: 8,
  unlink: 9,
  rename: 10,
  setattr: 11,
  times: 12,
  setxattr: 13,
  removexattr: 14,
  fsync: 15,
} as const;

export const FLAG = { large: 1, killPriv: 2, directory: 4, dataOnly: 8, atime: 16 } as const;

/** What `drain` gives. */
export interface RecordBatch {
  readonly records: Buffer;
  readonly large: readonly Buffer[];
}

/** In stream order. The sum of `bytes` is what the native side charged for the batch. */
export function decodeRecords(batch: RecordBatch): Change[] {
  const { records, large } = batch;
  const changes: Change[] = [];
  let nextLarge = 0;
  for (let at = 0; at < records.length;) {
    const size = records.readUInt32LE(at);
    assert(size >= RECORD_HEADER_BYTES && at + size <= records.length, 'a record fits its batch');
    let payload: Buffer | null = null;
    if ((records.readUInt8(at + 5) & FLAG.large) !== 0) {
      payload = large[nextLarge] ?? null;
      assert(payload !== null, 'a large payload comes with its record');
      nextLarge += 1;
    }
    const bytes = size + (payload?.length ?? 0);
    const token = records.readDoubleLE(at + 8);
    changes.push({ op: new RecordReader(records, at, payload).op(), token, bytes });
    at += size;
  }
  assert(nextLarge === large.length, 'every large payload belongs to a record');
  return changes;
}

/** Fields of one record; the letters are those of the layout. */
class RecordReader {
  readonly #buffer: Buffer;
  readonly #at: number;
  readonly #payload: Buffer | null;

  constructor(buffer: Buffer, at: number, payload: Buffer | null) {
    this.#buffer = buffer;
    this.#at = at;
    this.#payload = payload;
  }

  op(): Op {
    const kind = this.#buffer.readUInt8(this.#at + 4);
    switch (kind) {
      case KIND.write:
        return {
          kind: 'write',
          ref: this.#ref(),
          offset: this.#a(),
          data: this.#data(),
          killPriv: this.#has(FLAG.killPriv),
        };
      case KIND.truncate:
        return {
          kind: 'truncate',
          ref: this.#ref(),
          size: this.#a(),
          killPriv: this.#has(FLAG.killPriv),
        };
      case KIND.fallocate:
        return {
          kind: 'fallocate',
          ref: this.#ref(),
          mode: this.#u32(48),
          offset: this.#a(),
          length: this.#b(),
        };
      case KIND.copyRange:
        return {
          kind: 'copyRange',
          from: this.#parent(),
          fromOffset: this.#a(),
          ref: this.#ref(),
          offset: this.#b(),
          length: Number(this.#i64(72)),
        };
      case KIND.times:
        return {
          kind: 'times',
          ref: this.#ref(),
          mtime: this.#i64(64),
          atime: this.#has(FLAG.atime) ? this.#i64(72) : null,
        };
      case KIND.fsync:
        return { kind: 'fsync', ref: this.#ref(), dataOnly: this.#has(FLAG.dataOnly) };
      default:
        return this.#nameOp(kind);
    }
  }

  #nameOp(kind: number): Op {
    switch (kind) {
      case KIND.bind:
        return { kind: 'bind', ref: this.#ref(), parent: this.#parent(), name: this.#name() };
      case KIND.forget:
        return { kind: 'forget', ref: this.#ref() };
      case KIND.create:
        return {
          kind: 'create',
          ref: this.#ref(),
          parent: this.#parent(),
          name: this.#name(),
          mode: this.#u32(48),
          uid: this.#u32(52),
          gid: this.#u32(56),
          rdev: this.#u32(60),
          target: this.#data(),
        };
      case KIND.link:
        return { kind: 'link', ref: this.#ref(), parent: this.#parent(), name: this.#name() };
      case KIND.unlink:
        return {
          kind: 'unlink',
          parent: this.#parent(),
          name: this.#name(),
          directory: this.#has(FLAG.directory),
        };
      case KIND.rename:
        return {
          kind: 'rename',
          parent: this.#parent(),
          name: this.#name(),
          newParent: this.#buffer.readDoubleLE(this.#at + 80),
          newName: this.#newName(),
          flags: this.#u32(60),
        };
      default:
        return this.#attributeOp(kind);
    }
  }

  #attributeOp(kind: number): Op {
    switch (kind) {
      case KIND.setattr:
        return {
          kind: 'setattr',
          ref: this.#ref(),
          mode: this.#u32(48),
          uid: this.#u32(52),
          gid: this.#u32(56),
        };
      case KIND.setxattr:
        return {
          kind: 'setxattr',
          ref: this.#ref(),
          name: this.#name(),
          value: this.#data(),
          flags: this.#u32(60),
        };
      case KIND.removexattr:
        return { kind: 'removexattr', ref: this.#ref(), name: this.#name() };
      default:
        assert(false, `a record of a known kind, not ${kind}`);
    }
  }

  #ref(): number {
    return this.#buffer.readDoubleLE(this.#at + 16);
  }

  #parent(): number {
    return this.#buffer.readDoubleLE(this.#at + 24);
  }

  #a(): number {
    return this.#buffer.readDoubleLE(this.#at + 32);
  }

  #b(): number {
    return this.#buffer.readDoubleLE(this.#at + 40);
  }

  #u32(offset: number): number {
    return this.#buffer.readUInt32LE(this.#at + offset);
  }

  #i64(offset: number): bigint {
    return this.#buffer.readBigInt64LE(this.#at + offset);
  }

  #has(flag: number): boolean {
    return (this.#buffer.readUInt8(this.#at + 5) & flag) !== 0;
  }

  #nameBytes(): number {
    return this.#buffer.readUInt16LE(this.#at + 6);
  }

  #slice(start: number, bytes: number): Buffer {
    return this.#buffer.subarray(start, start + bytes);
  }

  #name(): Buffer {
    return this.#slice(this.#at + RECORD_HEADER_BYTES, this.#nameBytes());
  }

  #newName(): Buffer {
    return this.#slice(this.#at + RECORD_HEADER_BYTES + this.#nameBytes(), this.#u32(88));
  }

  #data(): Buffer {
    if (this.#payload !== null) return this.#payload;
    const names = this.#nameBytes() + this.#u32(88);
    return this.#slice(this.#at + RECORD_HEADER_BYTES + names, this.#u32(92));
  }
}
