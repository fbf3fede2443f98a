/**
 * The target of a resync (the secondary): does what the source says to the tree below the root
 * descriptor, and nothing outside of it. Directories one after the other, files side by side, long
 * work off the event loop. A disk that refuses something is told to the source, which ends the
 * resync with its name.
 */
import { RateWindow, secondsLeft } from '../core/resync-plan.js';
import type { SyncStatus } from '../control/messages.js';
import { TwinfsError, errorText } from '../errors.js';
import type { ResyncToTarget, SyncEnd, SyncProgress } from '../wire/messages.js';
import { HashPool } from './hash-pool.js';
import type { TargetOptions } from './seam.js';
import { RATE_WINDOW_MS } from './source-progress.js';
import { TargetDirectories } from './target-dir.js';
import { TargetFiles } from './target-file.js';

const NO_STATUS: SyncStatus = {
  pass: 0,
  filesDone: 0,
  filesTotal: 0,
  bytesDone: 0,
  bytesTotal: 0,
  bytesSent: 0,
  rate: 0,
  secondsLeft: null,
};

export class ResyncTarget {
  readonly #options: TargetOptions;
  readonly #pool: HashPool;
  readonly #directories: TargetDirectories;
  readonly #files: TargetFiles;
  readonly #window = new RateWindow(RATE_WINDOW_MS);
  #status = NO_STATUS;
  #ended = false;

  constructor(options: TargetOptions) {
    const { tree, link, clock, timers } = options;
    this.#options = options;
    this.#pool = new HashPool(timers);
    const breach = (what: string): void => this.#breach(what);
    const bug = (error: unknown): void => this.#bug(error);
    this.#directories = new TargetDirectories({
      ...{ tree, clock, timers, breach, bug },
      answer: (result) => void link.send(result),
    });
    this.#files = new TargetFiles({
      ...{ tree, pool: this.#pool, breach, bug },
      send: (message) => void link.send(message),
    });
  }

  /** Never blocks for long, never throws. */
  handle(message: ResyncToTarget): void {
    if (this.#ended) return;
    switch (message.type) {
      case 'dirList':
        return this.#directories.handle(message);
      case 'fileOpen':
      case 'fileData':
      case 'fileClose':
        return this.#files.handle(message);
      case 'syncProgress':
        return this.#progress(message);
      case 'syncEnd':
        return this.#end(message);
    }
  }

  /**
   * The connection is gone. Resolves when nothing touches the tree any more and every file is
   * closed.
   */
  async abort(_reason?: string): Promise<void> {
    this.#ended = true;
    await Promise.all([this.#directories.stop(), this.#files.stop()]);
    await this.#pool.close();
  }

  status(): SyncStatus {
    return this.#status;
  }

  #progress(message: SyncProgress): void {
    const { type: _, ...numbers } = message;
    const now = this.#options.clock.monotonicMs();
    const rate = this.#window.sample(now, message.bytesDone, message.filesDone);
    const bytes = message.bytesTotal - message.bytesDone;
    const files = message.filesTotal - message.filesDone;
    // Totals of 0: the source has not counted its tree yet.
    const known = message.filesTotal > 0;
    this.#status = { ...numbers, secondsLeft: known ? secondsLeft({ bytes, files }, rate) : null };
  }

  #end(message: SyncEnd): void {
    if (!this.#directories.idle || !this.#files.idle) return this.#breach('an end before the end');
    this.#ended = true;
    this.#options.hooks.end(message).then(
      () => void this.#options.link.send({ type: 'syncStored' }),
      (error: unknown) =>
        this.#options.hooks.failed(
          new TwinfsError(
            'sync-not-stored',
            'failed',
            `the resync is complete but could not be made durable: ${errorText(error)}; it is tried again`,
            error,
          ),
        ),
    );
    void this.#pool.close();
  }

  #bug(error: unknown): void {
    this.#fail(new TwinfsError('bug', 'bug', `the resync met a bug: ${errorText(error)}`, error));
  }

  #breach(what: string): void {
    const text = `the peer broke the resync protocol: ${what}; the connection is closed, it will be tried again`;
    this.#fail(new TwinfsError('bad-message', 'protocol', text));
  }

  /** Nothing more is done with the tree. */
  #fail(error: TwinfsError): void {
    if (this.#ended) return;
    void this.abort();
    this.#options.hooks.failed(error);
  }
}
