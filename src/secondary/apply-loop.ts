/**
 * The secondary's half of the data path: receive → order check → apply → group commit →
 * acknowledge.
 *
 *     const loop = new ApplyLoop({ applier, clock, timers, space }, hooks, { mode });
 *     link message "ops"  → loop.receive(message)
 *     promotion           → await loop.drain()
 *     the end             → loop.close()
 *
 * Ops are applied one by one in the order of their seqs, in slices, so that the event loop stays
 * responsive. An op that cannot be applied, or a sync that fails, ends the loop for good: what is
 * applied stays a prefix of the primary's history.
 */
import { constants } from 'node:os';
import type { Mode, Seq, Watermarks } from '../core/types.js';
import { errorText, TwinfsError } from '../errors.js';
import type { SpaceInfo } from '../io/native.js';
import type { Clock, Timers } from '../io/ports.js';
import { APPLY_SLICE_MS, RECEIVE_QUEUE_BYTES_MAX, RECEIVE_QUEUE_RESUME_BYTES } from '../limits.js';
import { opClass, ROOT_REF, type BarrierOp, type Op } from '../op/op.js';
import type { AckMessage, OpsMessage } from '../wire/messages.js';
import { Acks } from './acks.js';
import { applyOp, describeOp, errnoName, type OpApplier } from './apply-op.js';
import { Durability, type SyncApplier } from './durability.js';
import { OpQueue } from './op-queue.js';

export type ApplyFailure = NonNullable<AckMessage['failed']>;

export interface ApplyPorts {
  /** On the directory; `reset()` for this connection already. The loop never closes it. */
  readonly applier: OpApplier & SyncApplier;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Free space of the directory's filesystem: `() => native().space(rootFd)`. */
  readonly space: () => SpaceInfo;
}

export interface ApplyHooks {
  /** Hands an acknowledgement to the link. */
  ack(message: AckMessage): void;
  /** The queue is full, there is room again: stop and restart delivery of messages. */
  pause(): void;
  resume(): void;
  /**
   * Everything up to this barrier is durable; what follows is applied once the promise resolves,
   * and until then no receipt beyond a `mode` barrier is given. For `mode`: store the new mode, it
   * decides what an unclean stop means. A rejection ends the loop like an op that cannot be
   * applied.
   */
  barrier(op: BarrierOp): Promise<void>;
  /** Once: this op could not be applied, nothing after it is. The primary is told already. */
  failed(failure: ApplyFailure): void;
  /** Once: this copy cannot be trusted any more. The primary is told already. */
  syncFailed(errno: number): void;
}

export interface ApplyOptions {
  /** The primary's mode at the start of the stream; `mode` barriers change it. */
  readonly mode: Mode;
  /** Seq of the first op; default 1. */
  readonly firstSeq?: Seq;
}

interface Drain {
  readonly drained: () => void;
  readonly failed: (error: TwinfsError) => void;
}

export class ApplyLoop {
  readonly #ports: ApplyPorts;
  readonly #hooks: ApplyHooks;
  readonly #queue = new OpQueue();
  readonly #durability: Durability;
  readonly #acks: Acks;
  readonly #drains: Drain[] = [];
  /** Seqs of `mode` barriers received and not yet passed, oldest first. */
  readonly #modeSeqs: Seq[] = [];
  #mode: Mode;
  #received: Seq;
  #applied: Seq;
  /** The last applied op that changed names or attributes. */
  #lastName: Seq;
  /** The barrier, applied last, that holds the stream until everything before it is durable. */
  #barrier: { readonly op: BarrierOp; isPassing: boolean } | null = null;
  #isScheduled = false;
  #isPaused = false;
  /** Why nothing is applied any more; null while it is. */
  #over: TwinfsError | null = null;

  constructor(ports: ApplyPorts, hooks: ApplyHooks, options: ApplyOptions) {
    const start = (options.firstSeq ?? 1) - 1;
    this.#ports = ports;
    this.#hooks = hooks;
    this.#mode = options.mode;
    this.#received = start;
    this.#applied = start;
    this.#lastName = start;
    this.#durability = new Durability(ports.applier, start, {
      rose: () => this.#soon(),
      failed: (errno) => this.#syncFailed(errno),
    });
    this.#acks = new Acks(ports, start, hooks.ack.bind(hooks), () => this.#soon());
    // The first acknowledgement carries the free space, before any op.
    this.#soon();
  }

  get watermarks(): Watermarks {
    const { durable } = this.#durability;
    return { received: this.#received, applied: this.#applied, durable };
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Bytes received and not yet applied. */
  get queuedBytes(): number {
    return this.#queue.memoryBytes;
  }

  /**
   * Takes a message of the stream. Throws TwinfsError `seq-gap` when it is not the next one: close
   * the link with that code. After a failure or `close` it is ignored.
   */
  receive(message: OpsMessage): void {
    if (this.#over !== null) return;
    const expected = this.#received + 1;
    if (message.firstSeq !== expected) {
      throw new TwinfsError(
        'seq-gap',
        'protocol',
        `the stream goes on at op ${message.firstSeq} instead of ${expected}; the connection starts over`,
      );
    }
    this.#noteModes(message);
    this.#received += message.ops.length;
    this.#queue.push(message.ops);
    if (!this.#isPaused && this.#queue.memoryBytes > RECEIVE_QUEUE_BYTES_MAX) {
      this.#isPaused = true;
      this.#hooks.pause();
    }
    this.#soon();
  }

  /** Resolves when everything received is applied. Rejects when that cannot be any more. */
  drain(): Promise<void> {
    return new Promise((drained, failed) => {
      if (this.#over !== null) failed(this.#over);
      else if (this.#isIdle()) drained();
      else this.#drains.push({ drained, failed });
    });
  }

  /** The primary's mode where no barrier said it: it may have changed while a resync ran. */
  setMode(mode: Mode): void {
    this.#mode = mode;
    this.#soon();
  }

  /** Applies nothing more and acknowledges nothing more. */
  close(): void {
    this.#end(new TwinfsError('apply-closed', 'failed', 'the stream was closed before its end'));
    this.#acks.close();
  }

  /** One turn of the event loop: the steps of the data path, in order. */
  #turn(): void {
    this.#isScheduled = false;
    if (this.#isOver()) return;
    // What a commit that just ended did not cover need not wait for the slice.
    this.#startCommit();
    // A receipt is acknowledged before the work: that is what semi-sync is fast by.
    if (this.#mode === 'semi-sync') this.#acknowledge();
    this.#applySlice();
    if (this.#isOver()) return;
    this.#passBarrier();
    this.#startCommit();
    this.#acknowledge();
    this.#resumeReceiving();
    if (this.#isIdle()) this.#drains.splice(0).forEach(({ drained }) => drained());
    else if (this.#barrier === null) this.#soon();
  }

  #applySlice(): void {
    const until = this.#ports.clock.monotonicMs() + APPLY_SLICE_MS;
    while (this.#barrier === null) {
      const op = this.#queue.head;
      if (op === null) break;
      const seq = this.#applied + 1;
      const errno = this.#applyOne(op, seq);
      if (errno !== 0) {
        this.#fail({ seq, errno, text: `${describeOp(op)}: ${errnoName(errno)}` });
        return;
      }
      this.#applied = seq;
      if (opClass(op.kind) === 'name') this.#lastName = seq;
      this.#queue.advance();
      if (this.#ports.clock.monotonicMs() >= until) break;
    }
    this.#acks.applied(this.#queue.takeDoneDiskBytes());
  }

  #applyOne(op: Op, seq: Seq): number {
    switch (op.kind) {
      case 'fsync':
        // In `sync` the group commit that follows covers it; an fsync of DIR is for the whole
        // mirror.
        if (op.ref === ROOT_REF) this.#durability.want(seq);
        else if (this.#mode !== 'sync') this.#durability.fsync(op, seq);
        return 0;
      case 'barrier':
        this.#barrier = { op, isPassing: false };
        this.#durability.want(seq);
        return 0;
      default:
        return applyOp(this.#ports.applier, op);
    }
  }

  #startCommit(): void {
    if (this.#mode === 'sync') this.#durability.want(this.#applied);
    this.#durability.startCommit(this.#applied);
  }

  /** Lets the stream go on once everything before the barrier is durable and its hook is done. */
  #passBarrier(): void {
    const barrier = this.#barrier;
    if (barrier === null || barrier.isPassing || this.#durability.durable < this.#applied) return;
    barrier.isPassing = true;
    const { op } = barrier;
    this.#hooks.barrier(op).then(
      () => {
        if (op.why === 'mode') {
          this.#mode = op.mode;
          this.#modeSeqs.shift();
        }
        this.#barrier = null;
        this.#soon();
      },
      (error: unknown) => {
        const text = `${describeOp(op)}: ${errorText(error)}`;
        this.#fail({ seq: this.#applied, errno: constants.errno.EIO, text });
      },
    );
  }

  #acknowledge(): void {
    const firstMode = this.#modeSeqs[0];
    this.#acks.acknowledge({
      marks: this.#marksToTell(),
      mode: this.#mode,
      lastName: this.#lastName,
      receiptMax: firstMode === undefined ? Infinity : firstMode - 1,
      queuedDiskBytes: this.#queue.diskBytes,
    });
  }

  /** The watermarks, but a barrier counts as durable only when it is passed, hook included. */
  #marksToTell(): Watermarks {
    const marks = this.watermarks;
    if (this.#barrier === null) return marks;
    return { ...marks, durable: Math.min(marks.durable, this.#applied - 1) };
  }

  #noteModes({ firstSeq, ops }: OpsMessage): void {
    ops.forEach((op, index) => {
      if (op.kind === 'barrier' && op.why === 'mode') this.#modeSeqs.push(firstSeq + index);
    });
  }

  #resumeReceiving(): void {
    if (!this.#isPaused || this.#queue.memoryBytes > RECEIVE_QUEUE_RESUME_BYTES) return;
    this.#isPaused = false;
    this.#hooks.resume();
  }

  /** Everything received is applied, the hook of a barrier included. */
  #isIdle(): boolean {
    return this.#queue.head === null && this.#barrier === null;
  }

  #isOver(): boolean {
    return this.#over !== null;
  }

  #soon(): void {
    if (this.#isScheduled || this.#isOver()) return;
    this.#isScheduled = true;
    this.#ports.timers.soon(() => this.#turn());
  }

  #syncFailed(errno: number): void {
    const text = `making the copy durable: ${errnoName(errno)}`;
    this.#acks.fail(this.#marksToTell(), { seq: this.#durability.durable + 1, errno, text });
    this.#end(new TwinfsError('sync-failed', 'failed', text));
    this.#hooks.syncFailed(errno);
  }

  #fail(failure: ApplyFailure): void {
    if (this.#isOver()) return;
    this.#acks.fail(this.#marksToTell(), failure);
    const text = `change ${failure.seq} could not be applied: ${failure.text}`;
    this.#end(new TwinfsError('apply-failed', 'failed', text));
    this.#hooks.failed(failure);
  }

  #end(why: TwinfsError): void {
    if (this.#isOver()) return;
    this.#over = why;
    this.#durability.close();
    this.#queue.clear();
    this.#drains.splice(0).forEach(({ failed }) => failed(why));
  }
}
