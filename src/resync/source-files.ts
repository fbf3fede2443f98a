/**
 * Files waiting for their turn and under comparison. Many small ones at once hide the way to the
 * peer and back; large ones only a few, as disks dislike many readers. The first error stops the
 * starting of others.
 */
import {
  SYNC_BIG_FILES_OPEN_MAX,
  SYNC_FILES_OPEN_MAX,
  SYNC_FILES_QUEUE_MAX,
  SYNC_SEGMENT_BYTES,
} from '../limits.js';
import type { FileJob, FileOutcome } from './source-file.js';

/** A queue that is taken from its front without moving the rest. */
class Fifo<T> {
  #items: T[] = [];
  #next = 0;

  get length(): number {
    return this.#items.length - this.#next;
  }
  push(item: T): void {
    this.#items.push(item);
  }
  shift(): T | undefined {
    const item = this.#items[this.#next];
    if (item === undefined) return undefined;
    this.#next += 1;
    if (this.#next > 1024 && this.#next * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return item;
  }
}

export class FileQueue {
  readonly #transfer: (job: FileJob) => Promise<FileOutcome>;
  readonly #settled: (job: FileJob, outcome: FileOutcome) => void;
  #small = new Fifo<FileJob>();
  #big = new Fifo<FileJob>();
  #active = 0;
  #activeBig = 0;
  #error: Error | null = null;
  #roomWaiters: (() => void)[] = [];
  #idleWaiters: (() => void)[] = [];

  constructor(
    transfer: (job: FileJob) => Promise<FileOutcome>,
    settled: (job: FileJob, outcome: FileOutcome) => void,
  ) {
    this.#transfer = transfer;
    this.#settled = settled;
  }

  add(job: FileJob): void {
    const big = job.what === 'content' && job.size > SYNC_SEGMENT_BYTES;
    (big ? this.#big : this.#small).push(job);
    this.#pump();
  }

  /** Resolves when more may be added; throws the first error. */
  async room(): Promise<void> {
    while (this.#error === null && this.#waiting >= SYNC_FILES_QUEUE_MAX) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
    if (this.#error !== null) throw this.#error;
  }

  /**
   * Resolves when nothing waits and nothing is under way; throws the first error, then nothing is
   * open.
   */
  async idle(): Promise<void> {
    while (this.#active > 0 || (this.#error === null && this.#waiting > 0)) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
    if (this.#error !== null) throw this.#error;
  }

  /** Starts nothing more; `idle` throws this once what is under way has settled. */
  stop(error: Error): void {
    this.#error ??= error;
    release(this.#roomWaiters);
    if (this.#active === 0) release(this.#idleWaiters);
  }

  get #waiting(): number {
    return this.#small.length + this.#big.length;
  }

  #pump(): void {
    while (this.#error === null && this.#active < SYNC_FILES_OPEN_MAX) {
      const big = this.#activeBig < SYNC_BIG_FILES_OPEN_MAX ? this.#big.shift() : undefined;
      const job = big ?? this.#small.shift();
      if (job === undefined) return;
      void this.#start(job, big !== undefined);
    }
  }

  async #start(job: FileJob, big: boolean): Promise<void> {
    this.#active += 1;
    if (big) this.#activeBig += 1;
    try {
      this.#settled(job, await this.#transfer(job));
    } catch (error) {
      this.#error ??= error as Error;
    }
    this.#active -= 1;
    if (big) this.#activeBig -= 1;
    this.#pump();
    if (this.#waiting < SYNC_FILES_QUEUE_MAX || this.#error !== null) release(this.#roomWaiters);
    if (this.#active === 0) release(this.#idleWaiters);
  }
}

function release(waiters: (() => void)[]): void {
  for (const waiter of waiters.splice(0)) waiter();
}
