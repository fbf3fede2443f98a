/**
 * `npm run show:stall`: SIGSTOP of the secondary under load, in every mode. Prints the longest time
 * a commit waited, which must not exceed peer_timeout + 0.5 s.
 */
import { join } from 'node:path';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { startPair } from '../helpers/node-process.js';
import { tempDir } from '../helpers/temp-dir.js';
import { withCleanup, withRoot } from './cleanup.js';

const PEER_TIMEOUT_MS = 3_000;
const BOUND_MS = PEER_TIMEOUT_MS + 500;

await withRoot(async () => {
  let ok = true;
  for (const mode of ['sync', 'semi-sync', 'async'] as const) {
    const verdict = await withCleanup(async (context) => {
      const { primary, secondary } = await startPair(context, { mode });
      const logFile = join(tempDir(context), 'log');
      const directory = join(primary.directory, 'load');
      const load = CommitLoad.start(context, { directory, logFile });
      await load.waitForMore(100);
      secondary.pause();
      await primary.waitStatus('the loss', (s) => s.replication === 'Off');
      await load.waitForMore(100);
      secondary.resume();
      await load.stop();
      return checkCommits(logFile, directory);
    });
    const isIn = verdict.longestMs <= BOUND_MS && verdict.errors.length === 0;
    ok = ok && isIn;
    process.stdout.write(
      `${mode}: longest stall ${Math.round(verdict.longestMs)} ms of ${BOUND_MS} allowed ` +
        `(peer_timeout ${PEER_TIMEOUT_MS} ms): ${isIn ? 'ok' : 'TOO LONG'}\n`,
    );
  }
  return ok ? 0 : 1;
});
