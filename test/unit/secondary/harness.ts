/**
 * An ApplyLoop on simulated time, with an applier that records calls and syncs when the test says
 * so.
 */
import type { Mode } from '../../../src/core/types.js';
import type { Clock, Timers } from '../../../src/io/ports.js';
import type { BarrierOp, Op } from '../../../src/op/op.js';
import { ApplyLoop } from '../../../src/secondary/apply-loop.js';
import type { ApplyHooks, ApplyPorts } from '../../../src/secondary/apply-loop.js';
import type { AckMessage } from '../../../src/wire/messages.js';

/** Time that moves only when told to. */
export class SimulatedTime implements Clock, Timers {
  #nowMs = 1000;
  #soon: (() => void)[] = [];
  #timers: { readonly atMs: number; readonly fn: () => void }[] = [];
  /** Added to the clock at each look at it: work takes time. */
  tickMs = 0;

  monotonicMs(): number {
    this.#nowMs += this.tickMs;
    return this.#nowMs;
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(fn: () => void): void {
    this.#soon.push(fn);
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  /** One turn of the event loop; false when there was nothing to do. */
  turn(): boolean {
    const due = this.#soon;
    this.#soon = [];
    for (const fn of due) fn();
    return due.length > 0;
  }

  /** Turns until nothing is to be done at this time. */
  settle(): void {
    while (this.turn());
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { fn } of due) fn();
    this.settle();
  }
}

type Applier = ApplyPorts['applier'];

/** Says yes to everything; `errnos` by call name make calls fail, syncs end by `endSyncs`. */
export class FakeApplier implements Applier {
  readonly calls: string[] = [];
  readonly errnos: Record<string, number> = {};
  #syncs: ((errno: number) => void)[] = [];

  bind = (ref: number): number => this.#call('bind', ref);
  forget = (ref: number): number => this.#call('forget', ref);
  write = (ref: number): number => this.#call('write', ref);
  truncate = (ref: number): number => this.#call('truncate', ref);
  fallocate = (ref: number): number => this.#call('fallocate', ref);
  copyRange = (from: number, _fromOffset: number, ref: number): number =>
    this.#call('copyRange', from, ref);
  create = (ref: number): number => this.#call('create', ref);
  link = (ref: number): number => this.#call('link', ref);
  unlink = (parent: number): number => this.#call('unlink', parent);
  rename = (parent: number, _name: Buffer, newParent: number): number =>
    this.#call('rename', parent, newParent);
  setattr = (ref: number): number => this.#call('setattr', ref);
  times = (ref: number): number => this.#call('times', ref);
  setxattr = (ref: number): number => this.#call('setxattr', ref);
  removexattr = (ref: number): number => this.#call('removexattr', ref);
  fsync = (ref: number): Promise<number> => this.#sync('fsync', ref);
  commit = (): Promise<number> => this.#sync('commit');

  get syncsRunning(): number {
    return this.#syncs.length;
  }

  /** Ends all syncs that run, and lets what waits for them run. */
  async endSyncs(errno = 0): Promise<void> {
    for (const end of this.#syncs.splice(0)) end(errno);
    await microtasks();
  }

  #call(name: string, ...args: number[]): number {
    this.calls.push([name, ...args].join(' '));
    return this.errnos[name] ?? 0;
  }

  #sync(name: string, ...args: number[]): Promise<number> {
    this.#call(name, ...args);
    return new Promise((resolve) => this.#syncs.push(resolve));
  }
}

/** Everything that waits for settled promises has run afterwards. */
export const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Harness implements ApplyHooks {
  readonly time = new SimulatedTime();
  readonly applier = new FakeApplier();
  readonly acks: AckMessage[] = [];
  readonly events: string[] = [];
  readonly loop: ApplyLoop;
  availableBytes = 10 ** 12;
  spaceCalls = 0;
  /** What the hook of a barrier returns. */
  passing: Promise<void> = Promise.resolve();
  #nextSeq = 1;

  constructor(mode: Mode) {
    const { time, applier } = this;
    this.loop = new ApplyLoop(
      { applier, clock: time, timers: time, space: () => this.#space() },
      this,
      { mode },
    );
    time.settle();
    // The first one only tells the space.
    this.acks.length = 0;
  }

  ack(message: AckMessage): void {
    this.acks.push(message);
    this.applier.calls.push(`ack ${marks(message)}`);
  }

  pause(): void {
    this.events.push('pause');
  }

  resume(): void {
    this.events.push('resume');
  }

  barrier(op: BarrierOp): Promise<void> {
    this.events.push(`barrier ${op.why}`);
    return this.passing;
  }

  failed({ seq, errno, text }: NonNullable<AckMessage['failed']>): void {
    this.events.push(`failed ${seq} ${errno} ${text}`);
  }

  syncFailed(errno: number): void {
    this.events.push(`syncFailed ${errno}`);
  }

  /** One message of the stream. */
  receive(...ops: Op[]): void {
    this.loop.receive({ type: 'ops', firstSeq: this.#nextSeq, ops });
    this.#nextSeq += ops.length;
  }

  /** Watermarks of all acknowledgements since the last call. */
  takeAcks(): string[] {
    return this.acks.splice(0).map(marks);
  }

  #space() {
    this.spaceCalls++;
    const bytes = this.availableBytes;
    return { totalBytes: 2 * bytes, freeBytes: bytes, availableBytes: bytes, freeFiles: 9 };
  }
}

const marks = ({ received, applied, durable }: AckMessage): string =>
  `${received} ${applied} ${durable}`;

export const write = (ref: number, bytes = 10): Op => ({
  kind: 'write',
  ref,
  offset: 0,
  data: Buffer.alloc(bytes),
  killPriv: false,
});
export const mkdir = (ref: number): Op => ({
  kind: 'create',
  ref,
  parent: 1,
  name: Buffer.from(`d${ref}`),
  mode: 0o040755,
  uid: 0,
  gid: 0,
  rdev: 0,
  target: Buffer.alloc(0),
});
export const fsync = (ref: number): Op => ({ kind: 'fsync', ref, dataOnly: true });
export const barrier = (why: BarrierOp['why'], mode: Mode = 'sync'): Op => ({
  kind: 'barrier',
  why,
  mode,
});
