/**
 * The layers of the test suite in the order in which they run: the cheapest and most exact first. A
 * folder below test/ that is not listed runs last rather than not at all.
 */
import * as fs from 'node:fs';
import { join, relative } from 'node:path';

export interface Layer {
  readonly name: string;
  /** Files at once. Layers that mount, time or kill have the machine to themselves. */
  readonly concurrency: number;
  /** One file may take this long. */
  readonly timeoutMs: number;
}

const MINUTE_MS = 60_000;

const LAYERS: readonly Layer[] = [
  { name: 'static', concurrency: 2, timeoutMs: 5 * MINUTE_MS },
  { name: 'unit', concurrency: 2, timeoutMs: MINUTE_MS },
  { name: 'scenario', concurrency: 2, timeoutMs: MINUTE_MS },
  { name: 'property', concurrency: 2, timeoutMs: 3 * MINUTE_MS },
  { name: 'tidy', concurrency: 2, timeoutMs: MINUTE_MS },
  { name: 'native', concurrency: 1, timeoutMs: 3 * MINUTE_MS },
  { name: 'integration', concurrency: 1, timeoutMs: 5 * MINUTE_MS },
  { name: 'fuse', concurrency: 1, timeoutMs: 5 * MINUTE_MS },
  { name: 'app', concurrency: 1, timeoutMs: 10 * MINUTE_MS },
  { name: 'crash', concurrency: 1, timeoutMs: 10 * MINUTE_MS },
  { name: 'packaging', concurrency: 1, timeoutMs: 5 * MINUTE_MS },
];
/** Helpers and the runner's own parts hold no tests. */
const NOT_LAYERS = ['helpers', 'runner', 'fixtures', 'show'];
const LONG_FACTOR = 6;

export interface TestFile {
  /** "unit/core/ack-policy.test.ts", or "static/lint". */
  readonly label: string;
  /** The compiled file; for `static` the name of the check. */
  readonly path: string;
}

export interface PlannedLayer extends Layer {
  readonly files: readonly TestFile[];
}

const STATIC_CHECKS = ['types', 'lint', 'format', 'gen'];

function testFiles(compiledRoot: string): TestFile[] {
  return fs
    .readdirSync(compiledRoot, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(compiledRoot, name))
    .map((path) => ({ path, label: relative(compiledRoot, path).replace(/\.js$/, '.ts') }));
}

/**
 * What to run. `words` choose the files whose label contains one of them; none: all. Every test
 * file is in exactly one layer, by its first folder.
 */
export function plan(
  compiledRoot: string,
  words: readonly string[],
  long: boolean,
): PlannedLayer[] {
  const found: TestFile[] = [
    ...STATIC_CHECKS.map((name) => ({ path: name, label: `static/${name}` })),
    ...testFiles(compiledRoot),
  ];
  const layerOf = (file: TestFile): string => file.label.split('/')[0] ?? '';
  const known = LAYERS.map((layer) => layer.name);
  const others = [...new Set(found.map(layerOf))]
    .filter((name) => !known.includes(name) && !NOT_LAYERS.includes(name))
    .map((name): Layer => ({ name, concurrency: 1, timeoutMs: 5 * MINUTE_MS }));
  const chosen = found.filter(
    (file) => words.length === 0 || words.some((word) => file.label.includes(word)),
  );
  return [...LAYERS, ...others]
    .map((layer) => ({
      ...layer,
      timeoutMs: layer.timeoutMs * (long ? LONG_FACTOR : 1),
      files: chosen.filter((file) => layerOf(file) === layer.name),
    }))
    .filter((layer) => layer.files.length > 0);
}
