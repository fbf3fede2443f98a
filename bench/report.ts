/** From figures to a table and to verdicts. Pure. */
import type { Contestant, Target, Trial } from './trials.js';
import type { Figures } from './workloads.js';

/** One run: the figures of one contestant in one round. */
export interface Run {
  readonly trial: string;
  readonly contestant: Contestant;
  readonly round: number;
  readonly figures: Figures;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Verdict {
  readonly trial: string;
  readonly text: string;
  readonly reached: boolean;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] =
    sorted.length % 2 === 1
      ? [sorted[middle], sorted[middle]]
      : [sorted[middle - 1], sorted[middle]];
  return { median: (low + high) / 2, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

const valueOf = (run: Run | undefined, figure: string): number => run?.figures[figure] ?? NaN;

const ofContestant = (runs: readonly Run[], contestant: Contestant): Run[] =>
  runs.filter((run) => run.contestant === contestant);

/** Compares two contestants round by round, so that a slow minute of the machine hits both. */
export function compared(
  runs: readonly Run[],
  figure: string,
  target: Pick<Target, 'contestant' | 'against' | 'comparison'>,
): Spread {
  const others = ofContestant(runs, target.against);
  const pairs = ofContestant(runs, target.contestant).map((run) => {
    const other = others.find((candidate) => candidate.round === run.round);
    const [own, base] = [valueOf(run, figure), valueOf(other, figure)];
    return target.comparison === 'ratio' ? own / base : own - base;
  });
  return spread(pairs.filter((value) => !Number.isNaN(value)));
}

export const numberText = (value: number): string =>
  Number.isNaN(value)
    ? '–'
    : value >= 1000
      ? Math.round(value).toLocaleString('en-US')
      : value >= 100
        ? value.toFixed(0)
        : value.toFixed(value >= 10 ? 1 : 2);

const spreadText = ({ median, least, most }: Spread): string =>
  `${numberText(median)} (${numberText(least)}–${numberText(most)})`;

/** The table of one trial, one line for each contestant. */
export function trialTable(trial: Trial, runs: readonly Run[]): string {
  const tail = trial.also === undefined ? [] : [`${trial.also}`];
  const head = ['', `${trial.figure === 'rate' ? '' : `${trial.figure} `}${trial.unit}`, ...tail];
  const rows = trial.contestants.flatMap((contestant) => {
    const own = ofContestant(runs, contestant);
    if (own.length === 0) return [];
    const figure = spread(own.map((run) => valueOf(run, trial.figure)));
    const also = trial.also;
    const second =
      also === undefined ? [] : [numberText(spread(own.map((run) => valueOf(run, also))).median)];
    const against = { contestant, against: trial.against, comparison: 'ratio' } as const;
    const ratio = contestant === trial.against ? '1' : ratioText(runs, trial, against);
    return [[contestant, spreadText(figure), ...second, ratio]];
  });
  const table = [[...head, `of ${trial.against}`], ...rows];
  return [`${trial.name}: ${trial.title}`, ...aligned(table)].join('\n');
}

const ratioText = (
  runs: readonly Run[],
  trial: Trial,
  target: Pick<Target, 'contestant' | 'against' | 'comparison'>,
): string => spreadText(compared(runs, trial.figure, target));

export function aligned(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  return table.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('   ')
      .replace(/^/, '  '),
  );
}

export function verdicts(trial: Trial, runs: readonly Run[]): Verdict[] {
  return trial.targets.map((target) => {
    const { median } = compared(runs, trial.figure, target);
    const isRatio = target.comparison === 'ratio';
    const reached = median >= (target.least ?? -Infinity) && median <= (target.most ?? Infinity);
    const limit = target.least ?? target.most ?? NaN;
    const unit = isRatio ? '' : ` ${trial.unit}`;
    const relation = isRatio ? `of ${target.against}` : `more than ${target.against}`;
    const word = target.least === undefined ? 'at most' : 'at least';
    const text =
      `${trial.name}: ${target.contestant} ${numberText(median)}${unit} ${relation}, ` +
      `wanted ${word} ${limit}${unit}`;
    return { trial: trial.name, text, reached };
  });
}
