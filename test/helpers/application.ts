/**
 * What the tests with real applications share: a program run to its end, and the proof afterwards
 * that both nodes hold the same and that the stream alone brought it there.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import type { Pair, PairOptions } from './node-process.js';
import { startPair } from './node-process.js';
import type { Cleanup } from './temp-dir.js';
import { waitForEqualTrees } from './tree-compare.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Goes to its standard input. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

const RUN_TIMEOUT_MS = 120_000;
const SHOWN_CHARACTERS = 4000;
/** A loaded machine may need this long for the last changes and the comparison. */
const SETTLE_TIMEOUT_MS = 60_000;

/**
 * Runs a program and gives its standard output; throws with the end of what it printed unless it
 * exits 0 in time.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    uid: options.uid,
    gid: options.gid,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A program that ends before it has read everything is judged by its exit status.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) {
        resolve(stdout);
        return;
      }
      const shown = `${stdout}${stderr}`.slice(-SHOWN_CHARACTERS);
      const line = `${command} ${args.join(' ')}`.slice(0, 300);
      reject(new Error(`${line}: ended with ${String(code ?? signal)}\n${shown}`));
    });
  });
}

/** `sh -c`, stopping at the first command that fails. */
export const shell = (script: string, options: RunOptions = {}): Promise<string> =>
  run('sh', ['-ec', script], options);

/**
 * Everything has reached the peer, both trees are equal, and no second resync has helped: what is
 * there came through the stream.
 */
export async function assertMirrored(pair: Pair): Promise<void> {
  const { primary, secondary } = pair;
  await primary.must('flush', [], SETTLE_TIMEOUT_MS);
  await waitForEqualTrees(primary.directory, secondary.directory, SETTLE_TIMEOUT_MS);
  const { replication, wentAlone, reason } = await primary.status();
  assert.equal(replication, 'Established', `${reason ?? ''}\n${primary.logTail()}`);
  assert.equal(wentAlone, false, reason ?? '');
  const resyncs = fs.readFileSync(primary.log, 'utf8').split('resync complete').length - 1;
  assert.equal(resyncs, 1, `the link broke while the application ran\n${primary.logTail()}`);
}

/** A pair, `work` on the primary's mount, then assertMirrored; gives what `work` gave. */
export async function onMirror<T>(
  context: Cleanup,
  options: PairOptions,
  work: (mount: string, pair: Pair) => Promise<T>,
): Promise<T> {
  const pair = await startPair(context, options);
  const result = await work(pair.primary.directory, pair);
  await assertMirrored(pair);
  return result;
}
