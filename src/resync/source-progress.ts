/**
 * How far a resync is, honestly: totals are an estimate that is shown as unknown until the tree is
 * counted, the rate is of the last seconds, and time left is said only when both are known.
 */
import { RateWindow, secondsLeft } from '../core/resync-plan.js';
import type { SyncStatus } from '../control/messages.js';
import type { Clock, Timers } from '../io/ports.js';
import { SYNC_PROGRESS_INTERVAL_MS } from '../limits.js';
import type { SourceCallbacks } from './seam.js';
import type { SourceChannel } from './source-channel.js';
import type { TreeCount } from './source-count.js';
import type { FileOutcome } from './source-file.js';
import type { Totals } from './source-io.js';

export const RATE_WINDOW_MS = 5_000;

export class SourceProgress {
  readonly totals: Totals = {
    pass: 0,
    filesDone: 0,
    filesTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
    bytesSent: 0,
  };
  readonly #channel: SourceChannel;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #callbacks: SourceCallbacks;
  readonly #window = new RateWindow(RATE_WINDOW_MS);
  #rate = { bytes: 0, files: 0 };
  #counted = false;
  #cancel: (() => void) | null = null;

  constructor(channel: SourceChannel, clock: Clock, timers: Timers, callbacks: SourceCallbacks) {
    this.#channel = channel;
    this.#clock = clock;
    this.#timers = timers;
    this.#callbacks = callbacks;
  }

  /** The tree is counted, or it does not matter any more. */
  get counted(): boolean {
    return this.#counted;
  }

  start(): void {
    this.#cancel = this.#timers.setTimer(SYNC_PROGRESS_INTERVAL_MS, () => {
      this.#tick();
      this.start();
    });
  }

  stop(): void {
    this.#counted = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Passes after the first know what they have to do: what is done is the base. */
  startPass(): void {
    this.totals.pass += 1;
    if (this.totals.pass === 1) return;
    this.#counted = true;
    this.totals.filesTotal = this.totals.filesDone;
    this.totals.bytesTotal = this.totals.bytesDone;
  }

  count(count: TreeCount): void {
    if (this.#counted) return;
    this.#counted = true;
    this.totals.filesTotal = count.files;
    this.totals.bytesTotal = count.bytes;
  }

  /** More work than was known, in a pass after the first. */
  expect(files: number, bytes: number): void {
    this.totals.filesTotal += files;
    this.totals.bytesTotal += bytes;
  }

  /** What vanished counts as done, so that the totals are met. */
  fileDone(expectedBytes: number, outcome: FileOutcome): void {
    this.totals.filesDone += 1;
    if (outcome.how === 'gone') this.totals.bytesDone += expectedBytes;
  }

  status(): SyncStatus {
    const { pass, filesDone, bytesDone, bytesSent } = this.totals;
    // A tree that grows beyond the count must not show more than 100 %.
    const filesTotal = this.#counted ? Math.max(this.totals.filesTotal, filesDone) : 0;
    const bytesTotal = this.#counted ? Math.max(this.totals.bytesTotal, bytesDone) : 0;
    const left = { files: filesTotal - filesDone, bytes: bytesTotal - bytesDone };
    return {
      pass,
      filesDone,
      filesTotal,
      bytesDone,
      bytesTotal,
      bytesSent,
      rate: Math.round(this.#rate.bytes),
      secondsLeft: this.#counted ? secondsLeft(left, this.#rate) : null,
    };
  }

  #tick(): void {
    if (this.#channel.failed) return;
    const { filesDone, bytesDone } = this.totals;
    this.#rate = this.#window.sample(this.#clock.monotonicMs(), bytesDone, filesDone);
    const status = this.status();
    const { pass, bytesSent, filesTotal, bytesTotal, rate } = status;
    this.#channel.send({
      type: 'syncProgress',
      ...{ filesDone, filesTotal, bytesDone, bytesTotal, bytesSent, pass, rate },
    });
    this.#callbacks.progress?.(status);
  }
}
