/**
 * One round of the check the product stands or falls with: every process of the primary is killed
 * under a commit-logging load, the secondary's copy is promoted, and every acknowledged commit must
 * be in it. Then the old primary comes back as the target and both copies must become equal.
 */
import { join } from 'node:path';
import type { Mode } from '../../src/core/types.js';
import { CommitLoad, DEFAULT_PATTERNS, checkCommits } from './commit-log.js';
import type { Verdict } from './commit-log.js';
import { freePort } from './free-port.js';
import { startPair } from './node-process.js';
import { pause } from '../../src/io/system-clock.js';
import { tempDir } from './temp-dir.js';
import type { Cleanup } from './temp-dir.js';
import { waitForEqualTrees } from './tree-compare.js';

export interface KillRound {
  readonly verdict: Verdict;
  /** From the kill to the answer of `promote`, milliseconds. */
  readonly promotedMs: number;
  /** From `connect` to the end of the old primary's resync, milliseconds. */
  readonly resyncedMs: number;
}

export interface KillOptions {
  readonly mode: Mode;
  /** Commits of each thread before the kill, and milliseconds more, so that it hits anywhere. */
  readonly commits: number;
  readonly extraMs: number;
  /** Also bring the old primary back and compare the copies. */
  readonly failback: boolean;
}

export async function killPrimaryRound(context: Cleanup, options: KillOptions): Promise<KillRound> {
  const { primary, secondary } = await startPair(context, { mode: options.mode });
  const logFile = join(tempDir(context), 'log');
  const directory = join(primary.directory, 'load');
  const load = CommitLoad.start(context, { directory, logFile });
  await load.waitForEach(DEFAULT_PATTERNS.length, options.commits, 60_000);
  await pause(options.extraMs);
  await primary.kill();
  const killedAt = performance.now();
  await load.stop();
  // The primary is dead, but the secondary may not have noticed yet: the operator knows.
  await secondary.waitStatus('the loss of the primary', (s) => s.link !== 'Connected');
  await secondary.promote();
  const promotedMs = performance.now() - killedAt;
  const verdict = checkCommits(logFile, join(secondary.directory, 'load'));
  if (!options.failback) return { verdict, promotedMs, resyncedMs: 0 };
  primary.clearMounts();
  const port = await freePort();
  await primary.serve(port);
  const connectedAt = performance.now();
  await secondary.must('connect', ['--peer', `127.0.0.1:${port}`]);
  await secondary.waitEstablished();
  const resyncedMs = performance.now() - connectedAt;
  await waitForEqualTrees(primary.directory, secondary.directory);
  return { verdict, promotedMs, resyncedMs };
}
