/**
 * Received and not yet applied ops, in order, and what they hold. Bounded by its caller, who stops
 * receiving at RECEIVE_QUEUE_BYTES_MAX. Bytes are given back message by message.
 */
import { assert } from '../assert.js';
import { OP_CHARGE_BYTES_MIN } from '../limits.js';
import type { Op } from '../op/op.js';

interface Batch {
  readonly ops: readonly Op[];
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export class OpQueue {
  readonly #batches: Batch[] = [];
  /**
   * Batches before this one are done; they are cut off now and then, which is cheaper than each
   * time.
   */
  #first = 0;
  #next = 0;
  #memoryBytes = 0;
  #diskBytes = 0;
  #doneDiskBytes = 0;

  /** The op to apply next, or null. */
  get head(): Op | null {
    return this.#batches[this.#first]?.ops[this.#next] ?? null;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** At most this much more space is taken on the disk when all is applied. */
  get diskBytes(): number {
    return this.#diskBytes;
  }

  /** Returns and forgets how much of `diskBytes` was applied since it was asked last. */
  takeDoneDiskBytes(): number {
    const done = this.#doneDiskBytes;
    this.#doneDiskBytes = 0;
    return done;
  }

  push(ops: readonly Op[]): void {
    assert(ops.length > 0, 'a batch has ops');
    const batch = { ops, memoryBytes: sum(ops, memoryBytesOf), diskBytes: sum(ops, diskBytesOf) };
    this.#memoryBytes += batch.memoryBytes;
    this.#diskBytes += batch.diskBytes;
    this.#batches.push(batch);
  }

  /** The head is applied. */
  advance(): void {
    const batch = this.#batches[this.#first];
    assert(batch !== undefined, 'there is a head to leave');
    this.#next++;
    if (this.#next < batch.ops.length) return;
    this.#next = 0;
    this.#first++;
    this.#memoryBytes -= batch.memoryBytes;
    this.#diskBytes -= batch.diskBytes;
    this.#doneDiskBytes += batch.diskBytes;
    if (this.#first === this.#batches.length || this.#first >= CUT_BATCHES) {
      this.#batches.splice(0, this.#first);
      this.#first = 0;
    }
  }

  clear(): void {
    this.#batches.length = 0;
    this.#first = 0;
    this.#next = 0;
    this.#memoryBytes = 0;
    this.#diskBytes = 0;
  }
}

const CUT_BATCHES = 1024;
/** A new name or inode may take a block. */
const BLOCK_BYTES = 4096;

function sum(ops: readonly Op[], bytesOf: (op: Op) => number): number {
  let total = 0;
  for (const op of ops) total += bytesOf(op);
  return total;
}

function memoryBytesOf(op: Op): number {
  switch (op.kind) {
    case 'write':
      return OP_CHARGE_BYTES_MIN + op.data.length;
    case 'setxattr':
      return OP_CHARGE_BYTES_MIN + op.name.length + op.value.length;
    case 'create':
      return OP_CHARGE_BYTES_MIN + op.name.length + op.target.length;
    case 'rename':
      return OP_CHARGE_BYTES_MIN + op.name.length + op.newName.length;
    case 'bind':
    case 'link':
    case 'unlink':
    case 'removexattr':
      return OP_CHARGE_BYTES_MIN + op.name.length;
    default:
      return OP_CHARGE_BYTES_MIN;
  }
}

function diskBytesOf(op: Op): number {
  switch (op.kind) {
    case 'write':
      return op.data.length;
    case 'fallocate':
    case 'copyRange':
      return op.length;
    case 'create':
    case 'link':
    case 'rename':
    case 'setxattr':
      return BLOCK_BYTES;
    default:
      return 0;
  }
}
