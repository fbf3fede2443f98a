/**
 * The source of a resync (the primary): makes the peer's copy equal to this tree while the tree
 * goes on changing. Pass 1 compares everything; each further pass what changed meanwhile, by the
 * engine's marks; when little is left the writers are held, the last marks are brought, and the
 * stream takes over. After the last pass nothing is left by construction: every change before the
 * gate closed has left a mark, and every mark was brought. DESIGN §10 in its first form.
 */
import { freezeHolds, nextStep, throttleLevel } from '../core/resync-plan.js';
import type { SyncStatus } from '../control/messages.js';
import { TwinfsError } from '../errors.js';
import { SYNC_FREEZE_FAILURES_MAX } from '../limits.js';
import type { ResyncToSource } from '../wire/messages.js';
import { HashPool } from './hash-pool.js';
import { showPath } from './meta.js';
import type { SourceOptions, SyncResult } from './seam.js';
import { SourceChannel } from './source-channel.js';
import { countTree } from './source-count.js';
import { transferFile, type FileJob, type FileOutcome } from './source-file.js';
import { FileQueue } from './source-files.js';
import type { SourceIo } from './source-io.js';
import { PassSet, type Work } from './source-marks.js';
import { SourceProgress } from './source-progress.js';
import { SourceWalk } from './source-walk.js';

const ROOT = Buffer.alloc(0);

export class ResyncSource {
  readonly #options: SourceOptions;
  readonly #io: SourceIo;
  readonly #set: PassSet;
  readonly #progress: SourceProgress;
  #stopped: Error | null = null;
  #frozen = false;
  #frozenAt = 0;
  #frozenMs = 0;
  #missing: Buffer | null = null;
  /** Last passes that did not bring everything. */
  #failures = 0;
  #counting = Promise.resolve();

  constructor(options: SourceOptions) {
    const { tree, link, marks, callbacks, clock, timers } = options;
    this.#options = options;
    const channel = new SourceChannel(link);
    this.#progress = new SourceProgress(channel, clock, timers, callbacks);
    this.#io = { tree, channel, pool: new HashPool(timers), totals: this.#progress.totals };
    this.#set = new PassSet(tree, marks, timers);
  }

  /**
   * Resolves when the target has stored the end; rejects with the named error that ended it. The
   * engine is in `track` from before this call. Once only.
   */
  async run(): Promise<SyncResult> {
    const { clock, callbacks } = this.#options;
    const startedAt = clock.monotonicMs();
    this.#progress.start();
    this.#counting = this.#count();
    try {
      await this.#everything();
      let passes = 1;
      while (!(await this.#next(passes))) {
        passes += 1;
        if (this.#failures >= SYNC_FREEZE_FAILURES_MAX) throw this.#notConverging();
      }
      if (this.#stopped !== null) throw this.#stopped;
      const end = await callbacks.switchOn();
      this.#thawed();
      this.#io.channel.send({ type: 'syncEnd', ...end });
      await this.#io.channel.stored();
      return this.#result(passes + 1, clock.monotonicMs() - startedAt);
    } catch (error) {
      throw this.#stopped ?? error;
    } finally {
      await this.#cleanUp();
    }
  }

  handle(message: ResyncToSource): void {
    this.#io.channel.handle(message);
  }

  /** The link takes more again (LinkEvents.drained). */
  drained(): void {
    this.#io.channel.drained();
  }

  /** The connection is gone, or the operator stops it: `run` rejects with `error` soon. */
  abort(error: Error): void {
    this.#stopped ??= error;
    this.#io.channel.fail(error);
  }

  status(): SyncStatus {
    return this.#progress.status();
  }

  /**
   * One step after `passes` complete ones; true when the last pass is through and the gate is
   * closed.
   */
  async #next(passes: number): Promise<boolean> {
    const { callbacks } = this.#options;
    await this.#collect();
    const work = this.#set.work();
    const step = nextStep(passes, work.left);
    if (step === 'freeze') return this.#lastPass(passes);
    callbacks.throttle(throttleLevel(passes));
    this.#set.clear();
    if (step === 'restart') await this.#everything();
    else await this.#pass(work);
    return false;
  }

  /** With the writers held: what is left now. False: it was too much, or did not complete. */
  async #lastPass(passes: number): Promise<boolean> {
    await this.#freeze();
    await this.#collect();
    const work = this.#set.work();
    if (freezeHolds(passes, work.left)) {
      this.#set.clear();
      await this.#pass(work);
      // The gate is closed: a mark now is one that could not be brought.
      await this.#collect();
      if (this.#set.empty) return true;
      this.#failures += 1;
    }
    this.#thaw();
    return false;
  }

  async #everything(): Promise<void> {
    this.#progress.startPass();
    const files = this.#fileQueue();
    const sink = {
      file: (job: FileJob) => files.add(job),
      room: () => files.room(),
      missing: (path: Buffer) => this.#again(path, 'directory'),
    };
    const walk = new SourceWalk(this.#io, sink, false);
    await this.#through(files, () => walk.run([{ path: ROOT, depth: 'everything' }]));
  }

  async #pass(work: Work): Promise<void> {
    this.#progress.startPass();
    const files = this.#fileQueue();
    // A file that the walk finds needs no second comparison by its mark.
    const marked = new Map(work.files.map((job) => [job.path.toString('latin1'), job]));
    const sink = {
      file: (job: FileJob) => {
        marked.delete(job.path.toString('latin1'));
        this.#progress.expect(1, job.size);
        files.add(job);
      },
      room: () => files.room(),
      missing: (path: Buffer) => this.#again(path, 'directory'),
    };
    const walk = new SourceWalk(this.#io, sink, true);
    await this.#through(files, async () => {
      for (const level of work.levels) await walk.run(level);
      for (const job of marked.values()) {
        if (job.what === 'content') this.#progress.expect(1, job.size);
        files.add(job);
        await files.room();
      }
    });
  }

  /** Runs `fill`, then waits for the files; after an error nothing is under way any more. */
  async #through(files: FileQueue, fill: () => Promise<void>): Promise<void> {
    try {
      await fill();
      await files.idle();
    } catch (error) {
      this.#io.channel.fail(error as Error);
      files.stop(error as Error);
      await files.idle().catch(() => undefined);
      throw error;
    }
  }

  #fileQueue(): FileQueue {
    const settled = (job: FileJob, outcome: FileOutcome): void => {
      if (job.what === 'content') this.#progress.fileDone(job.size, outcome);
      if (outcome.how === 'missing') this.#again(job.path, job.what);
      else this.#set.compared(job.path, outcome.size, outcome.changedBytes);
    };
    return new FileQueue((job) => transferFile(this.#io, job), settled);
  }

  #again(path: Buffer, what: 'directory' | FileJob['what']): void {
    this.#missing = path;
    this.#set.again(path, what);
  }

  async #freeze(): Promise<void> {
    this.#frozen = true;
    this.#frozenAt = this.#options.clock.monotonicMs();
    await this.#options.callbacks.freeze();
  }

  /** Marks belong to the resync that runs: one that was stopped takes none away from the next. */
  async #collect(): Promise<void> {
    if (this.#stopped !== null) throw this.#stopped;
    await this.#set.collect();
  }

  #thaw(): void {
    if (!this.#frozen) return;
    this.#thawed();
    this.#options.callbacks.thaw();
  }

  #thawed(): void {
    this.#frozen = false;
    this.#frozenMs += this.#options.clock.monotonicMs() - this.#frozenAt;
  }

  async #count(): Promise<void> {
    const count = await countTree(this.#io.tree, () => this.#progress.counted);
    if (count !== null) this.#progress.count(count);
  }

  #notConverging(): TwinfsError {
    const where = this.#missing === null ? '' : `; the last was ${showPath(this.#missing)}`;
    return new TwinfsError(
      'sync-not-converging',
      'failed',
      `the peer keeps missing paths that it was told to make${where}; check that its filesystem keeps names exactly (case, length), the resync is tried again`,
    );
  }

  async #cleanUp(): Promise<void> {
    this.#progress.stop();
    this.#io.channel.fail(this.#stopped ?? new TwinfsError('resync-ended', 'failed', 'it ended'));
    this.#options.callbacks.throttle(0);
    this.#thaw();
    await Promise.all([this.#io.pool.close(), this.#counting]);
  }

  #result(passes: number, durationMs: number): SyncResult {
    const { filesDone, bytesDone, bytesSent } = this.#io.totals;
    return {
      passes,
      filesCompared: filesDone,
      bytesCompared: bytesDone,
      bytesSent,
      frozenMs: this.#frozenMs,
      durationMs,
    };
  }
}
