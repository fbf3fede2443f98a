import assert from 'node:assert/strict';
import test from 'node:test';
import { aligned, compared, spread, trialTable, verdicts } from '../../../bench/report.js';
import type { Run } from '../../../bench/report.js';
import { TRIALS } from '../../../bench/trials.js';
import type { Contestant, Trial } from '../../../bench/trials.js';
import { WORKLOADS } from '../../../bench/workloads.js';

const run = (contestant: Contestant, round: number, rate: number): Run => ({
  trial: 't',
  contestant,
  round,
  figures: { rate },
});

const trial: Trial = {
  name: 't',
  title: 'a trial',
  workload: 'smallFiles',
  contestants: ['raw', 'sync'],
  against: 'raw',
  figure: 'rate',
  unit: 'files/s',
  better: 'higher',
  targets: [{ contestant: 'sync', against: 'raw', comparison: 'ratio', least: 0.4 }],
};

test('the median of few, and its bounds', () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
});

test('a ratio is taken within a round', () => {
  // The machine was ten times slower in the second round, for both.
  const runs = [run('raw', 1, 100), run('sync', 1, 50), run('raw', 2, 10), run('sync', 2, 5)];
  const target = { contestant: 'sync', against: 'raw', comparison: 'ratio' } as const;
  assert.deepEqual(compared(runs, 'rate', target), { median: 0.5, least: 0.5, most: 0.5 });
  const difference = { ...target, comparison: 'difference' } as const;
  assert.equal(compared(runs, 'rate', difference).median, -27.5);
});

test('targets are judged, from either side, and a missing run misses them', () => {
  const good = [run('raw', 1, 100), run('sync', 1, 41)];
  assert.equal(verdicts(trial, good)[0]?.reached, true);
  const short = [run('raw', 1, 100), run('sync', 1, 39)];
  assert.equal(verdicts(trial, short)[0]?.reached, false);
  assert.equal(verdicts(trial, [run('raw', 1, 100)])[0]?.reached, false);
  const most: Trial = {
    ...trial,
    targets: [{ contestant: 'sync', against: 'raw', comparison: 'difference', most: 10 }],
  };
  assert.equal(verdicts(most, [run('raw', 1, 30), run('sync', 1, 40)])[0]?.reached, true);
  assert.equal(verdicts(most, [run('raw', 1, 30), run('sync', 1, 41)])[0]?.reached, false);
});

test('the table has a line for each contestant, columns aligned', () => {
  const table = trialTable(trial, [run('raw', 1, 100), run('sync', 1, 50)]);
  assert.match(table, /^ {2}raw .* 100 \(100–100\) +1$/m);
  assert.match(table, /^ {2}sync .*50\.0 \(50\.0–50\.0\) +0\.50 \(0\.50–0\.50\)$/m);
  assert.deepEqual(
    aligned([
      ['a', 'b'],
      ['long', '12'],
    ]),
    ['  a       b', '  long   12'],
  );
});

test('every trial names a workload and takes what it is compared with along', () => {
  for (const { name, workload, contestants, against, targets } of TRIALS) {
    assert.ok(workload in WORKLOADS, name);
    const needed = [against, ...targets.flatMap((one) => [one.contestant, one.against])];
    assert.deepEqual(
      needed.filter((one) => !contestants.includes(one)),
      [],
      name,
    );
  }
});
