/**
 * The acknowledged-commit check: does the copy hold everything an application was told is safe?
 *
 * A writer process (commit-log-writer.ts) makes commits below a directory of the mirror, several
 * threads in several patterns, and after each answer notes it in a log *outside* the mirror. After
 * a failure `checkCommits` looks at a copy: every noted commit must be in it, or a later one that
 * replaces it. What was under way and not answered may be there or not.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as shapes from './commit-shapes.js';
import type { Pattern } from './commit-shapes.js';
import type { Cleanup } from './temp-dir.js';
import { waitFor } from './wait-for.js';

export interface LoadOptions {
  /** Made below the mirror; must not exist. */
  readonly directory: string;
  /** The log, outside the mirror. */
  readonly logFile: string;
  /** One thread for each element. */
  readonly patterns?: readonly Pattern[];
}

/** One of each, and a second appender. */
export const DEFAULT_PATTERNS: readonly Pattern[] = ['append', 'append', 'rename', 'pages'];

export interface Verdict {
  readonly acknowledged: number;
  readonly present: number;
  /** One line for each acknowledged commit that is not there. */
  readonly missing: readonly string[];
  readonly byPattern: Readonly<Record<string, number>>;
  /** The longest that one commit took to be answered, of those that were. */
  readonly longestMs: number;
  /** "thread: reason" of the threads that an error ended. */
  readonly errors: readonly string[];
}

/** A line of the log. */
interface Commit {
  readonly pattern: Pattern;
  readonly thread: number;
  readonly number: number;
  /** Which of the replaceable places: page number, or name number. */
  readonly slot: number;
}

export class CommitLoad {
  readonly logFile: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    this.logFile = logFile;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /** Starts the writer; it runs until `stop` or until every thread met an error. */
  static start(context: Cleanup, options: LoadOptions): CommitLoad {
    fs.writeFileSync(options.logFile, '');
    const plan = {
      directory: options.directory,
      logFile: options.logFile,
      patterns: options.patterns ?? DEFAULT_PATTERNS,
    };
    const main = fileURLToPath(new URL('./commit-log-writer.js', import.meta.url));
    const child = spawn(process.execPath, [main, JSON.stringify(plan)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    context.after(() => {
      child.kill('SIGKILL');
    });
    return new CommitLoad(child, options.logFile);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Commits acknowledged so far. */
  acknowledged(): number {
    return parseLog(this.logFile).commits.length;
  }

  /** Resolves when `count` more commits than now are acknowledged. */
  async waitForMore(count: number, timeoutMs = 20_000): Promise<void> {
    const wanted = this.acknowledged() + count;
    await waitFor(
      `${wanted} acknowledged commits`,
      () => {
        if (!this.isRunning()) throw new Error(`the writer ended: ${this.#output}`);
        return this.acknowledged() >= wanted;
      },
      { timeoutMs },
    );
  }

  /** Resolves when each of `threads` threads has `count` commits acknowledged. */
  async waitForEach(threads: number, count: number, timeoutMs = 20_000): Promise<void> {
    await waitFor(
      `${count} acknowledged commits of each thread`,
      () => {
        if (!this.isRunning()) throw new Error(`the writer ended: ${this.#output}`);
        const newest = new Map<number, number>();
        for (const { thread, number } of parseLog(this.logFile).commits) newest.set(thread, number);
        return newest.size === threads && [...newest.values()].every((number) => number >= count);
      },
      { timeoutMs },
    );
  }

  /**
   * Lets every thread finish its commit and ends the writer; its threads may have ended by errors
   * before.
   */
  async stop(timeoutMs = 20_000): Promise<void> {
    this.#child.stdin?.end();
    await waitFor('the end of the commit writer', () => !this.isRunning(), { timeoutMs });
  }
}

function parseLog(logFile: string): { commits: Commit[]; errors: string[]; longestMs: number } {
  const commits: Commit[] = [];
  const errors: string[] = [];
  let longestMs = 0;
  const text = fs.readFileSync(logFile, 'utf8');
  // A line without its end is an answer that was being noted: it is not claimed.
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [pattern, thread, number, slot, ms] = line.split(' ');
    if (line.startsWith('error ')) errors.push(line.slice('error '.length));
    else if (shapes.isPattern(pattern)) {
      commits.push({ pattern, thread: Number(thread), number: Number(number), slot: Number(slot) });
      longestMs = Math.max(longestMs, Number(ms));
    }
  }
  return { commits, errors, longestMs };
}

/** What a copy holds of one place: the number of the commit found there, or why it holds none. */
type Found = number | string;

/**
 * Compares the log with a copy: `directory` is where the load's directory lies in that copy. Reads
 * nothing but what the log names.
 */
export function checkCommits(logFile: string, directory: string): Verdict {
  const { commits, errors, longestMs } = parseLog(logFile);
  const byPattern: Record<string, number> = {};
  const newest = new Map<string, number>();
  const cache = new Map<string, Found>();
  for (const commit of commits) {
    byPattern[commit.pattern] = (byPattern[commit.pattern] ?? 0) + 1;
    newest.set(placeOf(commit), commit.number);
  }
  const missing: string[] = [];
  for (const commit of commits) {
    const place = placeOf(commit);
    let found = cache.get(place);
    if (found === undefined) {
      found = look(commit, directory);
      cache.set(place, found);
    }
    if (typeof found === 'string') missing.push(`${place} commit ${commit.number}: ${found}`);
    else if (found < commit.number) {
      missing.push(`${place} commit ${commit.number}: the copy holds ${found} only`);
    }
  }
  const acknowledged = commits.length;
  return {
    acknowledged,
    present: acknowledged - missing.length,
    missing,
    byPattern,
    longestMs,
    errors,
  };
}

/** Commits at one place replace each other (or, appended, follow each other): the newest counts. */
const placeOf = (commit: Commit): string =>
  `${commit.pattern} thread ${commit.thread} place ${commit.slot}`;

function look(commit: Commit, directory: string): Found {
  const base = join(directory, shapes.baseName(commit.pattern, commit.thread));
  try {
    switch (commit.pattern) {
      case 'append':
      case 'write':
        return shapes.lastRecord(fs.readFileSync(base));
      case 'rename':
        return shapes.readWhole(fs.readFileSync(join(base, shapes.slotName(commit.slot))));
      case 'pages':
        return shapes.readPage(readAt(base, commit.slot * shapes.PAGE_BYTES, shapes.PAGE_BYTES));
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readAt(path: string, offset: number, length: number): Buffer {
  const fd = fs.openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset));
  } finally {
    fs.closeSync(fd);
  }
}
