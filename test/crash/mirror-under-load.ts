/**
 * A mirror with commits running on it, for the tests that break it: kill, stop and cut, failover
 * and the way back. The nodes change roles with each failover, so rounds can follow each other.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Mode } from '../../src/core/types.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import type { Verdict } from '../helpers/commit-log.js';
import type { Pattern } from '../helpers/commit-shapes.js';
import type { FaultProxy } from '../helpers/fault-proxy.js';
import { freePort } from '../helpers/free-port.js';
import { startPair } from '../helpers/node-process.js';
import type { TestNode } from '../helpers/node-process.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';

/** Every way of committing; `write` counts because these modes answer write(2) itself. */
const PATTERNS: readonly Pattern[] = ['append', 'append', 'write', 'rename', 'pages'];

export const PEER_TIMEOUT_MS = 1_000;
const END_TIMEOUT_MS = 60_000;

export interface MirrorOptions {
  readonly mode: Mode;
  readonly withProxy?: boolean;
  readonly peerTimeoutMs?: number;
}

export class MirrorUnderLoad {
  primary: TestNode;
  secondary: TestNode;
  readonly proxy: FaultProxy | null;
  readonly mode: Mode;
  readonly #context: Cleanup;
  readonly #logs: string;
  #loads = 0;
  /** The directory of the load, below both copies. */
  #folder = '';
  #load: CommitLoad | null = null;

  private constructor(
    context: Cleanup,
    mode: Mode,
    primary: TestNode,
    secondary: TestNode,
    proxy: FaultProxy | null,
  ) {
    this.#context = context;
    this.mode = mode;
    this.primary = primary;
    this.secondary = secondary;
    this.proxy = proxy;
    this.#logs = tempDir(context, 'logs');
  }

  static async start(context: Cleanup, options: MirrorOptions): Promise<MirrorUnderLoad> {
    const { mode, withProxy = false, peerTimeoutMs = PEER_TIMEOUT_MS } = options;
    const mountArgs = ['-o', `peer_timeout=${peerTimeoutMs}ms`];
    const pair = await startPair(context, { mode, withProxy, mountArgs });
    return new MirrorUnderLoad(context, mode, pair.primary, pair.secondary, pair.proxy);
  }

  get load(): CommitLoad {
    assert.ok(this.#load !== null, 'a load runs');
    return this.#load;
  }

  /** Starts committing in a new directory, and waits until every thread is at it. */
  async commit(each = 3): Promise<void> {
    this.#loads += 1;
    this.#folder = `load-${this.#loads}`;
    this.#load = CommitLoad.start(this.#context, {
      directory: join(this.primary.directory, this.#folder),
      logFile: join(this.#logs, this.#folder),
      patterns: PATTERNS,
    });
    await this.#load.waitForEach(PATTERNS.length, each, END_TIMEOUT_MS);
  }

  /** What a node's copy holds of what was acknowledged. */
  check(node: TestNode): Verdict {
    return checkCommits(this.load.logFile, join(node.directory, this.#folder));
  }

  /** No acknowledged commit is missing in the node's copy. */
  assertComplete(node: TestNode): Verdict {
    const verdict = this.check(node);
    assert.ok(verdict.acknowledged > 0, 'something was acknowledged');
    const shown = verdict.missing.slice(0, 10).join('\n');
    const what = `${verdict.missing.length} of ${verdict.acknowledged} acknowledged are missing`;
    assert.equal(verdict.missing.length, 0, `${what}:\n${shown}\n${node.logTail()}`);
    return verdict;
  }

  /**
   * In `async` the newest may be missing, but the copy is the primary's at one point of its
   * history: single writes are whole there.
   */
  assertPrefix(node: TestNode): void {
    const torn = this.check(node).missing.filter((line) => line.includes('torn'));
    assert.deepEqual(torn, []);
  }

  async stopLoad(): Promise<void> {
    await this.load.stop(END_TIMEOUT_MS);
  }

  /** Everything committed so far has arrived, and the copies are equal. */
  async assertEqual(): Promise<void> {
    await this.primary.must('flush');
    await waitForEqualTrees(this.primary.directory, this.secondary.directory);
  }

  /** The dead primary's copy is replaced by the other one, which becomes the primary. */
  async failOver(): Promise<void> {
    const port = await freePort();
    await this.secondary.promote(['--peer', `127.0.0.1:${port}`]);
    [this.primary, this.secondary] = [this.secondary, this.primary];
    this.#port = port;
  }

  #port = 0;

  /** The node that failed comes back and is brought up to date. */
  async comeBack(): Promise<void> {
    if (this.secondary.isMounted()) await this.secondary.must('umount');
    await this.secondary.serve(this.#port);
    await this.primary.waitEstablished();
  }
}
