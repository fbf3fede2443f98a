/**
 * Makes what was applied durable, off the event loop: group commits, one at a time, each covering
 * everything applied when it starts; and, where nobody waits for `durable`, the primary's own
 * fsyncs in stream order.
 *
 * A sync that fails is final: the kernel may have dropped the data, so no later success means
 * anything.
 */
import { APPLY_FSYNCS_MAX } from '../limits.js';
import type { Seq } from '../core/types.js';
import type { NativeApplier } from '../io/native.js';
import type { FsyncOp } from '../op/op.js';

export type SyncApplier = Pick<NativeApplier, 'commit' | 'fsync'>;

export interface DurabilityEvents {
  /** `durable` rose. */
  rose(): void;
  /** Once; nothing happens here any more. */
  failed(errno: number): void;
}

export class Durability {
  readonly #applier: SyncApplier;
  readonly #events: DurabilityEvents;
  #durable: Seq;
  #wanted: Seq;
  #isCommitting = false;
  #fsyncs = 0;
  #isOver = false;

  /** `start`: the seq before the first op. */
  constructor(applier: SyncApplier, start: Seq, events: DurabilityEvents) {
    this.#applier = applier;
    this.#events = events;
    this.#durable = start;
    this.#wanted = start;
  }

  get durable(): Seq {
    return this.#durable;
  }

  /** Everything up to `seq`, which is applied, is to become durable. */
  want(seq: Seq): void {
    this.#wanted = seq;
  }

  /** Starts a commit of everything up to `applied` when one is wanted and none runs. */
  startCommit(applied: Seq): void {
    if (this.#isOver || this.#isCommitting || this.#wanted <= this.#durable) return;
    this.#isCommitting = true;
    void this.#applier.commit().then((errno) => {
      this.#isCommitting = false;
      if (!this.#succeeded(errno)) return;
      this.#durable = applied;
      this.#events.rose();
    });
  }

  /** An fsync of the primary's application that need not be waited for. */
  fsync(op: FsyncOp, seq: Seq): void {
    if (this.#fsyncs >= APPLY_FSYNCS_MAX) {
      this.want(seq);
      return;
    }
    this.#fsyncs++;
    void this.#applier.fsync(op.ref, op.dataOnly).then((errno) => {
      this.#fsyncs--;
      this.#succeeded(errno);
    });
  }

  /** What runs ends by itself and is not reported. */
  close(): void {
    this.#isOver = true;
  }

  #succeeded(errno: number): boolean {
    if (this.#isOver) return false;
    if (errno === 0) return true;
    this.#isOver = true;
    this.#events.failed(errno);
    return false;
  }
}
