/**
 * Runs one test file (or one static check) in a process and a temporary directory of its own, kills
 * it at its time limit, and then looks at what it left behind: a mount or a process is a failure of
 * that file.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { findLeftovers, removeLeftovers } from '../helpers/leftovers.js';
import { repoRoot } from '../helpers/paths.js';
import { waitFor } from '../helpers/wait-for.js';
import type { TestLine } from './json-reporter.js';
import type { TestFile } from './layers.js';

export interface FileResult {
  readonly label: string;
  readonly durationMs: number;
  readonly lines: readonly TestLine[];
  /** What the process printed, the end of it. */
  readonly output: string;
}

export interface RunOptions {
  readonly root: string;
  readonly timeoutMs: number;
  readonly long: boolean;
  /** For the interrupt handler: children that run now. */
  readonly running: Set<ChildProcess>;
}

const OUTPUT_CHARACTERS_MAX = 64_000;
const LEFTOVER_GRACE_MS = 2_000;

export const failure = (name: string, detail: string): TestLine => ({
  outcome: 'failed',
  name,
  nesting: 0,
  suite: false,
  durationMs: 0,
  detail,
});

interface Ended {
  readonly status: string;
  readonly timedOut: boolean;
  readonly output: string;
  /** Kills what is left of the file's process group; not before the leftovers were looked at. */
  readonly endGroup: () => void;
}

export async function runFile(file: TestFile, options: RunOptions): Promise<FileResult> {
  const startedAt = performance.now();
  const temp = fs.mkdtempSync(join(options.root, 'f'));
  fs.chmodSync(temp, 0o755);
  const report = join(options.root, `${temp.slice(options.root.length + 1)}.report`);
  const isStatic = file.label.startsWith('static/');
  const ended = await runProcess(
    isStatic
      ? [join(repoRoot, '.ci/check.mjs'), file.path]
      : [
          '--enable-source-maps',
          `--test-reporter=${join(repoRoot, 'dist/test/runner/json-reporter.js')}`,
          `--test-reporter-destination=${report}`,
          file.path,
        ],
    temp,
    options,
  );
  const lines = isStatic ? staticLines(file, ended) : testLines(report, ended, options.timeoutMs);
  const leftovers = await settledLeftovers(temp);
  if (leftovers.length > 0) lines.push(failure('leaves nothing behind', leftovers.join('\n')));
  ended.endGroup();
  await removeLeftovers(temp);
  fs.rmSync(report, { force: true });
  return {
    label: file.label,
    durationMs: performance.now() - startedAt,
    lines,
    output: ended.output,
  };
}

function runProcess(args: string[], temp: string, options: RunOptions): Promise<Ended> {
  const env = {
    ...process.env,
    TMPDIR: temp,
    TWINFS_TEST_TMP: temp,
    ...(options.long ? { TWINFS_LONG: '1' } : {}),
  };
  // A group of its own, so that all of it can be ended.
  const child = spawn(process.execPath, args, {
    cwd: repoRoot,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.running.add(child);
  let output = '';
  const keep = (chunk: string): void => {
    output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  return new Promise((resolve) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
      // What keeps a stopped file from ending are the daemons and mounts it waits for.
      void removeLeftovers(temp).catch(() => undefined);
    }, options.timeoutMs);
    const finish = (status: string): void => {
      clearTimeout(timer);
      options.running.delete(child);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({
        status,
        timedOut,
        output,
        endGroup: () => {
          killGroup(child);
        },
      });
    };
    child.once('error', (error) => {
      finish(error.message);
    });
    // 'exit', not 'close': a background process may hold the pipes open for ever.
    child.once('exit', (code, signal) => {
      setImmediate(finish, signal ?? String(code));
    });
  });
}

/** What is left after a moment: a process that is just ending is no leftover. */
async function settledLeftovers(temp: string): Promise<string[]> {
  const isClean = (): boolean => findLeftovers(temp).length === 0;
  await waitFor('a clean end', isClean, { timeoutMs: LEFTOVER_GRACE_MS }).catch(() => false);
  return findLeftovers(temp);
}

/** SIGKILLs the child's process group. Daemons have left it; leftovers.ts finds those. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

function readReport(path: string): TestLine[] {
  if (!fs.existsSync(path)) return [];
  return fs
    .readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as TestLine);
}

function staticLines(file: TestFile, ended: Ended): TestLine[] {
  if (ended.status === '0') return [{ ...failure(file.path, ''), outcome: 'passed' }];
  return [failure(file.path, ended.output)];
}

function testLines(report: string, ended: Ended, timeoutMs: number): TestLine[] {
  const all = readReport(report);
  const lines = all.filter((line) => line.outcome !== 'started');
  return [...lines, ...processFailures(lines, ended, timeoutMs, unfinished(all))];
}

/** Names of the tests that began and did not end, the innermost last. */
function unfinished(lines: readonly TestLine[]): string[] {
  const open: TestLine[] = [];
  for (const line of lines) {
    const index = open.findIndex(
      ({ name, nesting }) => name === line.name && nesting === line.nesting,
    );
    if (line.outcome === 'started') open.push(line);
    else if (index >= 0) open.splice(index, 1);
  }
  return open.map(({ name }) => name);
}

/** Failures that the tests in the file cannot report themselves. */
function processFailures(
  lines: readonly TestLine[],
  ended: Ended,
  timeoutMs: number,
  open: readonly string[],
): TestLine[] {
  if (ended.timedOut) {
    const where = open.length > 0 ? `in: ${open.join(' › ')}` : 'all its tests had ended';
    return [failure('ends in time', `ended at its limit of ${timeoutMs / 1000} s; ${where}`)];
  }
  if (lines.length === 0) {
    return [failure('holds tests', `no test ran; exit status ${ended.status}`)];
  }
  const hasFailed = lines.some((line) => line.outcome === 'failed');
  if (ended.status !== '0' && !hasFailed) {
    return [failure('ends well', `every test passed, yet the exit status is ${ended.status}`)];
  }
  return [];
}
