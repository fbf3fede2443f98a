/**
 * The writer process of commit-log.ts: `node commit-log-writer.js PLAN`. Each pattern has a thread
 * of its own which uses synchronous calls only, as a database does: the answer of the last call
 * *is* the acknowledgement, and is noted right after it. Ends when its standard input ends.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import * as shapes from './commit-shapes.js';
import type { Pattern } from './commit-shapes.js';

interface Plan {
  readonly directory: string;
  readonly logFile: string;
  readonly patterns: readonly Pattern[];
}

interface ThreadPlan {
  readonly directory: string;
  readonly logFile: string;
  readonly pattern: Pattern;
  readonly thread: number;
  readonly stop: Int32Array;
}

/** Makes commit `number` and returns its slot. */
type Commit = (number: number) => number;

function appender(base: string, synced: boolean): Commit {
  const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_APPEND;
  const fd = fs.openSync(base, flags, 0o644);
  return (number) => {
    fs.writeSync(fd, shapes.record(number));
    if (synced) fs.fdatasyncSync(fd);
    return 0;
  };
}

function renamer(base: string): Commit {
  fs.mkdirSync(base);
  const folder = fs.openSync(base, 'r');
  return (number) => {
    const slot = number % shapes.NAMES;
    const temporary = join(base, `.new-${number}`);
    const fd = fs.openSync(temporary, 'wx', 0o644);
    fs.writeSync(fd, shapes.whole(number));
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(temporary, join(base, shapes.slotName(slot)));
    fs.fsyncSync(folder);
    return slot;
  };
}

function pager(base: string): Commit {
  fs.writeFileSync(base, Buffer.concat(Array.from({ length: shapes.PAGES }, () => shapes.page(0))));
  const fd = fs.openSync(base, 'r+');
  return (number) => {
    // Jumps about without repeating soon: 97 has no factor in common with the number of pages.
    const slot = (number * 97) % shapes.PAGES;
    fs.writeSync(fd, shapes.page(number), 0, shapes.PAGE_BYTES, slot * shapes.PAGE_BYTES);
    fs.fdatasyncSync(fd);
    return slot;
  };
}

function open(plan: ThreadPlan): Commit {
  const base = join(plan.directory, shapes.baseName(plan.pattern, plan.thread));
  switch (plan.pattern) {
    case 'append':
      return appender(base, true);
    case 'write':
      return appender(base, false);
    case 'rename':
      return renamer(base);
    case 'pages':
      return pager(base);
  }
}

function runThread(plan: ThreadPlan): void {
  const log = fs.openSync(plan.logFile, 'a');
  try {
    const commit = open(plan);
    for (let number = 1; Atomics.load(plan.stop, 0) === 0; number += 1) {
      const startedAt = performance.now();
      const slot = commit(number);
      const tookMs = (performance.now() - startedAt).toFixed(2);
      // One write to the page cache: it survives whatever is killed in these tests.
      fs.writeSync(log, `${plan.pattern} ${plan.thread} ${number} ${slot} ${tookMs}\n`);
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    fs.writeSync(log, `error ${plan.pattern} ${plan.thread}: ${text}\n`);
  }
}

function runMain(plan: Plan): void {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  fs.mkdirSync(plan.directory, { recursive: true });
  plan.patterns.forEach((pattern, thread) => {
    const { directory, logFile } = plan;
    const data: ThreadPlan = { directory, logFile, pattern, thread, stop };
    new Worker(new URL(import.meta.url), { workerData: data });
  });
  process.stdin.on('end', () => Atomics.store(stop, 0, 1)).resume();
  process.stdin.unref();
}

if (isMainThread) runMain(JSON.parse(process.argv[2] ?? '') as Plan);
else runThread(workerData as ThreadPlan);
