/**
 * One node of a mirror under test: its directory, state and log below a temporary directory, driven
 * through the real command line, with its processes found by `--state DIR`. Everything ends with
 * the test.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../src/control/client.js';
import type { Status } from '../../src/control/messages.js';
import type { Mode } from '../../src/core/types.js';
import { cli, runCli } from './cli.js';
import type { CliResult } from './cli.js';
import { FaultProxy } from './fault-proxy.js';
import { freePort } from './free-port.js';
import { mountsBelow, unmountBelow } from './mounts.js';
import { killUntilGone, pidsOfState, signalAll } from './processes.js';
import { tempDir } from './temp-dir.js';
import type { Cleanup } from './temp-dir.js';
import { waitFor } from './wait-for.js';
import type { WaitOptions } from './wait-for.js';

const START_TIMEOUT_MS = 60_000;
const SYNC_TIMEOUT_MS = 60_000;

export class TestNode {
  readonly name: string;
  /** The protected directory. */
  readonly directory: string;
  readonly state: string;
  readonly log: string;

  /** Makes an empty node; nothing runs yet. `directory`: another place for its data. */
  constructor(context: Cleanup, name: string, directory?: string) {
    const base = tempDir(context, name);
    this.name = name;
    this.directory = directory ?? join(base, 'data');
    this.state = join(base, 'state');
    this.log = join(base, 'log');
    fs.mkdirSync(this.directory);
    // Runs before tempDir's own cleaning only if that is registered first; either order is safe.
    context.after(async () => {
      await this.kill();
    });
  }

  /** `twinfs COMMAND DIR … --state … ` with what every command needs. */
  run(command: string, args: readonly string[] = [], timeoutMs?: number): Promise<CliResult> {
    const all = [command, this.directory, ...args, '--state', this.state];
    return runCli(all, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Like `run`, and throws unless it exits 0. */
  async must(command: string, args: readonly string[] = [], timeoutMs?: number): Promise<string> {
    const all = [command, this.directory, ...args, '--state', this.state];
    return cli(all, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** `twinfs mount`: in place unless `args` begin with a mount point. */
  async mount(args: readonly string[] = []): Promise<void> {
    await this.must('mount', [...args, ...this.#logging()], START_TIMEOUT_MS);
  }

  async serve(port: number, args: readonly string[] = []): Promise<void> {
    const listen = ['--listen', `127.0.0.1:${port}`];
    await this.must('serve', [...listen, ...args, ...this.#logging()], START_TIMEOUT_MS);
  }

  async promote(args: readonly string[] = []): Promise<void> {
    await this.must('promote', args, START_TIMEOUT_MS);
  }

  #logging(): string[] {
    return ['--log', this.log, '--log-level', process.env['TWINFS_TEST_LOG_LEVEL'] ?? 'debug'];
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.must('status', ['--json'])) as Status;
  }

  /** What `status --json` prints, asked of the daemon itself: cheap enough to poll. */
  async quickStatus(): Promise<Status> {
    return (await ask(
      { stateDir: this.state, shown: this.directory },
      { command: 'status' },
    )) as Status;
  }

  /** Polls the status until it is as wanted. */
  async waitStatus(
    what: string,
    isWanted: (status: Status) => boolean,
    options: WaitOptions = {},
  ): Promise<Status> {
    let last: Status | null = null;
    try {
      return await waitFor(
        what,
        async () => {
          last = await this.quickStatus();
          return isWanted(last) ? last : null;
        },
        { everyMs: 25, ...options },
      );
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${this.name}: ${text}; last status: ${JSON.stringify(last)}\n${this.logTail()}`,
      );
    }
  }

  /** Connected, synchronised, mirroring. */
  async waitEstablished(timeoutMs = SYNC_TIMEOUT_MS): Promise<Status> {
    const isWanted = (status: Status): boolean => status.replication === 'Established';
    return this.waitStatus('replication Established', isWanted, { timeoutMs });
  }

  /** Every process of this node. */
  pids(): number[] {
    return pidsOfState(this.state);
  }

  /**
   * kill -9 of every process of this node at once; its mount stays behind, dead. Returns the pids.
   */
  async kill(): Promise<number[]> {
    return killUntilGone(() => this.pids(), `the processes of ${this.name}`);
  }

  /** SIGSTOP of every process. */
  pause(): void {
    signalAll(this.pids(), 'SIGSTOP');
  }

  resume(): void {
    signalAll(this.pids(), 'SIGCONT');
  }

  isMounted(): boolean {
    return mountsBelow(this.directory).length > 0;
  }

  /** `umount -l` of what a killed daemon left. */
  clearMounts(): void {
    unmountBelow(this.directory);
  }

  /** The end of its log, for messages. */
  logTail(lines = 30): string {
    if (!fs.existsSync(this.log)) return `(${this.name} has no log)`;
    const text = fs.readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    return `--- end of the log of ${this.name}\n${text}\n---`;
  }
}

export interface Pair {
  readonly primary: TestNode;
  readonly secondary: TestNode;
  /** Between them when asked for, else null. */
  readonly proxy: FaultProxy | null;
  /** Where the secondary listens. */
  readonly port: number;
}

export interface PairOptions {
  readonly mode?: Mode;
  readonly withProxy?: boolean;
  readonly mountArgs?: readonly string[];
  readonly serveArgs?: readonly string[];
  /** Fills the primary's directory before anything starts. */
  readonly seed?: (directory: string) => void;
}

/**
 * Two nodes that mirror: the secondary serves, the primary is mounted in place, replication
 * Established.
 */
export async function startPair(context: Cleanup, options: PairOptions = {}): Promise<Pair> {
  const primary = new TestNode(context, 'primary');
  const secondary = new TestNode(context, 'secondary');
  options.seed?.(primary.directory);
  const port = await freePort();
  await secondary.serve(port, options.serveArgs);
  const target = { host: '127.0.0.1', port };
  const proxy = options.withProxy === true ? await FaultProxy.start(context, target) : null;
  const peer = proxy?.address ?? `127.0.0.1:${port}`;
  const mode = ['--peer', peer, '--mode', options.mode ?? 'sync'];
  await primary.mount([...mode, ...(options.mountArgs ?? [])]);
  await primary.waitEstablished();
  return { primary, secondary, proxy, port };
}
