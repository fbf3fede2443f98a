/**
 * `npm run show:kill [-- ROUNDS]`: kill -9 of all processes of the primary under a commit-logging
 * load (append + fdatasync; write-temp, fsync, rename, fsync of the directory; pages in place;
 * several threads), ROUNDS times (20) in `sync` and in `semi-sync`. Prints the figure.
 */
import { killPrimaryRound } from '../helpers/kill-round.js';
import { withCleanup, withRoot } from './cleanup.js';

const rounds = Number(process.argv[2] ?? 20);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

await withRoot(async () => {
  let missingInAll = 0;
  for (const mode of ['sync', 'semi-sync'] as const) {
    let acknowledged = 0;
    let missing = 0;
    const promoted: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const extraMs = (round * 37) % 400;
      const options = { mode, commits: 20, extraMs, failback: round % 5 === 0 };
      const { verdict, promotedMs } = await withCleanup((context) =>
        killPrimaryRound(context, options),
      );
      acknowledged += verdict.acknowledged;
      missing += verdict.missing.length;
      promoted.push(promotedMs);
      for (const line of verdict.missing.slice(0, 5)) process.stdout.write(`  MISSING ${line}\n`);
      process.stdout.write(
        `${mode} round ${round}: ${verdict.acknowledged} acknowledged, ` +
          `${verdict.missing.length} missing, promoted in ${Math.round(promotedMs)} ms\n`,
      );
    }
    missingInAll += missing;
    process.stdout.write(
      `${mode}: ${rounds} kills, ${acknowledged} acknowledged commits, ${missing} missing; ` +
        `promotion ${Math.round(median(promoted))} ms (median, after the kill)\n`,
    );
  }
  return missingInAll === 0 ? 0 : 1;
});
