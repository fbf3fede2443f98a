/**
 * The test runner: `npm test`, or `node dist/test/run.js [--long] [--verbose] [--list] [WORD …]`.
 * Lists the compiled test files by layer, runs each in its own process, and ends with "N passed, N
 * failed, N skipped". (`node --test` of Node 20 takes no globs, knows no layers and does not look
 * for mounts left behind.)
 *
 * Words choose files: `npm test -- unit crash/kill`.
 */
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { findLeftovers, removeLeftovers } from './helpers/leftovers.js';
import { repoRoot } from './helpers/paths.js';
import { makeRoot, staleRoots } from './helpers/temp-dir.js';
import { plan } from './runner/layers.js';
import type { PlannedLayer } from './runner/layers.js';
import { failure, killGroup, runFile } from './runner/run-file.js';
import type { FileResult, RunOptions } from './runner/run-file.js';
import { closing, count, fileReport } from './runner/summary.js';
import type { LayerResult } from './runner/summary.js';

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = flags.find((flag) => !['--long', '--verbose', '--list'].includes(flag));
const isLong = flags.includes('--long');
const isVerbose = flags.includes('--verbose');
const isStrict = process.env['TWINFS_STRICT'] === '1';

// A reader that went away (`| head`) must not keep the end from being cleaned up.
process.stdout.on('error', () => undefined);

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function runLayer(
  layer: PlannedLayer,
  options: Omit<RunOptions, 'timeoutMs'>,
): Promise<LayerResult> {
  const startedAt = performance.now();
  const results: FileResult[] = [];
  const waiting = [...layer.files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, { ...options, timeoutMs: layer.timeoutMs });
      results.push(result);
      print(fileReport(result, isStrict, isVerbose));
    }
  };
  await Promise.all(Array.from({ length: layer.concurrency }, worker));
  return { name: layer.name, results, durationMs: performance.now() - startedAt };
}

/** Ends everything that runs, cleans up, and leaves with the shell's code for the signal. */
function cleanOnSignal(root: string, running: Set<ChildProcess>): void {
  const onSignal = (exitCode: number) => (): void => {
    for (const child of running) killGroup(child);
    void removeLeftovers(root).finally(() => process.exit(exitCode));
  };
  process.once('SIGINT', onSignal(130));
  process.once('SIGTERM', onSignal(143));
}

function leftBehind(leftovers: readonly string[]): LayerResult {
  const line = failure('the run leaves nothing behind', leftovers.join('\n'));
  const result: FileResult = { label: 'end', durationMs: 0, lines: [line], output: '' };
  print(fileReport(result, isStrict, isVerbose));
  return { name: 'end', results: [result], durationMs: 0 };
}

async function main(): Promise<number> {
  const layers = plan(join(repoRoot, 'dist/test'), words, isLong);
  if (flags.includes('--list')) {
    for (const file of layers.flatMap((layer) => layer.files)) print(file.label);
    return 0;
  }
  if (unknown !== undefined || layers.length === 0) {
    print(
      unknown === undefined ? `no test file matches: ${words.join(' ')}` : `unknown ${unknown}`,
    );
    return 2;
  }
  for (const stale of staleRoots()) {
    print(`removing what an earlier run left: ${stale}`);
    await removeLeftovers(stale);
  }
  const root = makeRoot();
  const running = new Set<ChildProcess>();
  cleanOnSignal(root, running);
  const results: LayerResult[] = [];
  for (const layer of layers) {
    results.push(await runLayer(layer, { root, long: isLong, running }));
  }
  // Each file was looked at already; this is for what escaped into the root itself.
  const leftovers = findLeftovers(root);
  await removeLeftovers(root);
  if (fs.existsSync(root)) leftovers.push(`${root} could not be removed`);
  if (leftovers.length > 0) results.push(leftBehind(leftovers));
  print(closing(results, isStrict));
  const all = results.flatMap((layer) => layer.results);
  return count(all, isStrict).failed === 0 ? 0 : 1;
}

process.exitCode = await main();
