/**
 * Reads and hashes ranges of open files in a few worker threads. Source and target both use it.
 * Duties:
 *  - small jobs share one message to a worker, which costs more than hashing a small file;
 *  - workers start with the first job and end when idle, as each costs some 10 MiB;
 *  - a job that was handed to a worker is always answered before its promise settles, also when the
 *    pool is closed: until then the caller must not close the file (its number could become another
 *    file's).
 */
import { Worker } from 'node:worker_threads';
import { assert } from '../assert.js';
import { TwinfsError, errorText } from '../errors.js';
import type { Timers } from '../io/ports.js';
import {
  HASH_BATCH_BYTES_MAX,
  HASH_BATCH_JOBS_MAX,
  HASH_IDLE_MS,
  HASH_QUEUE_MAX,
  HASH_WORKERS_MAX,
} from '../limits.js';
import type { WorkerAnswer, WorkerJob, WorkerResult } from './hash-worker.js';

export interface HashResult {
  /** Bytes there were: fewer than asked at the end of the file. */
  readonly bytes: number;
  /** 8 bytes little endian per block, the last one shorter; empty when blockSize was 0. */
  readonly hashes: Buffer;
  /** Empty unless wanted. */
  readonly data: Buffer;
}

interface Waiting {
  readonly job: WorkerJob;
  readonly resolve: (result: HashResult) => void;
  readonly reject: (error: Error) => void;
}

interface Running {
  readonly worker: Worker;
  batch: Waiting[];
}

const NOTHING = Buffer.alloc(0);
const closedError = (): Error =>
  new TwinfsError('resync-ended', 'failed', 'the resync ended before this range was hashed');

/** An Error with `code`, as the system call gave it. */
function readError({ errorCode: code, errno }: WorkerResult): Error {
  return Object.assign(new Error(`${code}: read`), { code, errno });
}

export class HashPool {
  readonly #timers: Timers;
  readonly #workersMax: number;
  #running: Running[] = [];
  #queue: Waiting[] = [];
  #closed = false;
  #cancelIdle: (() => void) | null = null;

  constructor(timers: Timers, workersMax = HASH_WORKERS_MAX) {
    this.#timers = timers;
    this.#workersMax = workersMax;
  }

  /**
   * Rejects with the read error (an Error with `code`), or "resync-ended" when the pool closes
   * first.
   */
  run(job: WorkerJob): Promise<HashResult> {
    if (this.#closed) return Promise.reject(closedError());
    assert(this.#queue.length < HASH_QUEUE_MAX, 'hash jobs are bounded by open files');
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject });
      // One turn later: jobs asked for in the same turn share a message.
      if (this.#queue.length === 1) queueMicrotask(() => this.#dispatch());
    });
  }

  /** Worker threads alive, for tests and the memory figure. */
  get workers(): number {
    return this.#running.length;
  }

  /** Rejects what has not started, waits for what has, and ends the workers. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue) waiting.reject(closedError());
    this.#queue = [];
    this.#cancelIdle?.();
    for (const running of this.#running) if (running.batch.length === 0) this.#end(running);
    const ends = this.#running.map(
      ({ worker }) => new Promise((resolve) => worker.once('exit', resolve)),
    );
    await Promise.all(ends);
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const free = this.#running.find(({ batch }) => batch.length === 0) ?? this.#start();
      if (free === null) return;
      this.#hand(free);
    }
  }

  #hand(running: Running): void {
    let bytes = 0;
    let count = 0;
    for (const { job } of this.#queue) {
      if (
        count > 0 &&
        (count === HASH_BATCH_JOBS_MAX || bytes + job.length > HASH_BATCH_BYTES_MAX)
      ) {
        break;
      }
      bytes += job.length;
      count += 1;
    }
    running.batch = this.#queue.splice(0, count);
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    running.worker.ref();
    running.worker.postMessage(running.batch.map(({ job }) => job));
  }

  #start(): Running | null {
    if (this.#running.length >= this.#workersMax) return null;
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
    });
    const running: Running = { worker, batch: [] };
    worker.on('message', (answer: WorkerAnswer) => this.#answered(running, answer));
    worker.on('error', (error) => this.#lost(running, errorText(error)));
    worker.on('exit', (code) => this.#lost(running, `it exited with code ${code}`));
    this.#running.push(running);
    return running;
  }

  #answered(running: Running, answer: WorkerAnswer): void {
    const batch = running.batch;
    running.batch = [];
    running.worker.unref();
    batch.forEach(({ job, resolve, reject }, index) => {
      const result = answer.results[index];
      assert(result !== undefined, 'a worker answers every job');
      if (result.errorCode !== '') reject(readError(result));
      else {
        const hashes = Buffer.from(answer.buffer, result.hashesAt, result.hashesBytes);
        const data = job.wantData
          ? Buffer.from(answer.buffer, result.dataAt, result.bytes)
          : NOTHING;
        resolve({ bytes: result.bytes, hashes, data });
      }
    });
    if (this.#closed) this.#end(running);
    else if (this.#queue.length > 0) this.#dispatch();
    else this.#idleSoon();
  }

  /**
   * A worker that ended by itself (out of memory, say): its jobs fail, a new one starts with the
   * next.
   */
  #lost(running: Running, why: string): void {
    const index = this.#running.indexOf(running);
    if (index === -1) return;
    this.#running.splice(index, 1);
    const error = new TwinfsError('hash-worker-lost', 'failed', `a hash worker failed: ${why}`);
    for (const waiting of running.batch) waiting.reject(error);
    running.batch = [];
    if (!this.#closed && this.#queue.length > 0) this.#dispatch();
  }

  #idleSoon(): void {
    if (this.#running.some(({ batch }) => batch.length > 0)) return;
    this.#cancelIdle?.();
    this.#cancelIdle = this.#timers.setTimer(HASH_IDLE_MS, () => {
      this.#cancelIdle = null;
      for (const running of [...this.#running]) this.#end(running);
      this.#running = [];
    });
  }

  #end(running: Running): void {
    void running.worker.terminate();
  }
}
