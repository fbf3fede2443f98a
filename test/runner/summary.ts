/**
 * What a person reads: a line for each file, each failure in full, a table of the layers, the
 * verdict.
 */
import { LONG_PREFIX, MISSING_PREFIX } from '../helpers/requires.js';
import type { TestLine } from './json-reporter.js';
import type { FileResult } from './run-file.js';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const SLOWEST_FILES = 8;

/**
 * Under `strict` a test skipped for want of a program has failed. A `todo` is a promise, not a
 * test: it counts as a failure always.
 */
const isFailure = (line: TestLine, strict: boolean): boolean =>
  line.outcome === 'failed' ||
  line.outcome === 'todo' ||
  (strict && line.outcome === 'skipped' && line.detail.startsWith(MISSING_PREFIX));

export function count(results: readonly FileResult[], strict: boolean): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of results.flatMap((result) => result.lines)) {
    if (line.suite) continue;
    if (isFailure(line, strict)) counts.failed += 1;
    else if (line.outcome === 'skipped') counts.skipped += 1;
    else counts.passed += 1;
  }
  return counts;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string, by: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => by + line)
    .join('\n');

const MARK = { started: '…', passed: '✔', failed: '✖', skipped: '﹣', todo: '✖' } as const;

/** One line, then (`verbose`, or when something failed) its tests, the failures in full. */
export function fileReport(result: FileResult, strict: boolean, verbose: boolean): string {
  const counts = count([result], strict);
  const failures = result.lines.filter((line) => isFailure(line, strict));
  const parts = [
    `${counts.passed} passed`,
    ...(counts.failed > 0 ? [`${counts.failed} FAILED`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
  ];
  const head = `${failures.length === 0 ? '✔' : '✖'} ${result.label.padEnd(48)} ${parts.join(', ')}  (${seconds(result.durationMs)})`;
  const shown = verbose ? result.lines : failures;
  const tests = shown.map((line) => {
    const name = `${'  '.repeat(line.nesting + 1)}${MARK[line.outcome]} ${line.name} (${seconds(line.durationMs)})`;
    return line.detail === '' ? name : `${name}\n${indent(line.detail, '      | ')}`;
  });
  const isStatic = result.label.startsWith('static/');
  const output =
    failures.length > 0 && !isStatic && result.output.trim() !== ''
      ? [`    its output:\n${indent(result.output, '      > ')}`]
      : [];
  return [head, ...tests, ...output].join('\n');
}

/** Every skipped test with its reason; equal reasons share a line. */
function skips(results: readonly FileResult[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const result of results) {
    for (const line of result.lines.filter((test) => test.outcome === 'skipped')) {
      const names = byReason.get(line.detail) ?? [];
      names.push(`${result.label}: ${line.name}`);
      byReason.set(line.detail, names);
    }
  }
  return [...byReason].flatMap(([reason, names]) => {
    const loud = reason.startsWith(LONG_PREFIX) ? 'not run' : 'SKIPPED';
    return [`${loud}, ${reason}`, ...names.map((name) => `    ${name}`)];
  });
}

export interface LayerResult {
  readonly name: string;
  readonly results: readonly FileResult[];
  readonly durationMs: number;
}

export function closing(layers: readonly LayerResult[], strict: boolean): string {
  const all = layers.flatMap((layer) => layer.results);
  const row = (name: string, files: number, counts: Counts, ms: number): string =>
    [
      name.padEnd(12),
      String(files).padStart(6),
      String(counts.passed).padStart(8),
      String(counts.failed).padStart(8),
      String(counts.skipped).padStart(9),
      seconds(ms).padStart(11),
    ].join('');
  const total = layers.reduce((sum, layer) => sum + layer.durationMs, 0);
  const slowest = [...all].sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST_FILES);
  const failed = all.filter((result) => count([result], strict).failed > 0);
  const counts = count(all, strict);
  return [
    '',
    'layer        files  passed  failed  skipped       time',
    ...layers.map((layer) =>
      row(layer.name, layer.results.length, count(layer.results, strict), layer.durationMs),
    ),
    row('all', all.length, counts, total),
    '',
    'slowest files',
    ...slowest.map((result) => `${seconds(result.durationMs).padStart(9)}  ${result.label}`),
    '',
    ...skips(all),
    ...(failed.length > 0
      ? ['FAILED files', ...failed.map((result) => `    ${result.label}`)]
      : []),
    `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  ].join('\n');
}
