/**
 * The workloads. Each takes an empty directory and gives figures; synchronous calls on purpose: the
 * time of one call is what an application waits. A call costs Node itself about 2 µs, the same for
 * every contestant.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { pgbench } from './postgres.js';

export type Figures = Readonly<Record<string, number>>;
export type Workload = (directory: string, quick: boolean) => Figures | Promise<Figures>;

const KIB = 1024;
const MIB = 1024 * KIB;
export const BLOCK_BYTES = 4 * KIB;
const LATENCY_FILE_BYTES = 64 * MIB;
/** Of each of the 16 writers. */
export const RATE_FILE_BYTES = 16 * MIB;
const WRITERS = 16;
const SEQUENTIAL_FILES = 2;
const RECORD_BYTES = 512;
const FILES_PER_DIRECTORY = 200;

const seconds = (quick: boolean): number => (quick ? 1 : 4);

/** A file full of data: every block is allocated, so that writes to it are overwrites. */
export function fillFile(path: string, bytes: number): void {
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(MIB, 0xa5);
  for (let at = 0; at < bytes; at += MIB) writeSync(fd, block, 0, Math.min(MIB, bytes - at), at);
  fdatasyncSync(fd);
  closeSync(fd);
}

/** Pseudo-random block numbers, the same for every contestant (a linear congruence). */
export function* blockNumbers(blocks: number, seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 1103515245 + 12345) % 2147483648;
    yield Math.floor((state / 2147483648) * blocks);
  }
}

function percentile(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}

/** The disk at rest, so that one trial does not pay for the last one's data. */
const settle = (): void => void spawnSync('sync');

function writeLatency(directory: string, quick: boolean): Figures {
  const path = join(directory, 'blocks');
  fillFile(path, LATENCY_FILE_BYTES);
  settle();
  const fd = openSync(path, constants.O_WRONLY);
  const block = Buffer.alloc(BLOCK_BYTES, 0x5a);
  const places = blockNumbers(LATENCY_FILE_BYTES / BLOCK_BYTES, 1);
  const times: number[] = [];
  const warmUntil = performance.now() + 300;
  const until = warmUntil + seconds(quick) * 1000;
  for (;;) {
    const offset = places.next().value * BLOCK_BYTES;
    const before = performance.now();
    if (before >= until) break;
    writeSync(fd, block, 0, BLOCK_BYTES, offset);
    if (before >= warmUntil) times.push((performance.now() - before) * 1000);
  }
  closeSync(fd);
  const sorted = Float64Array.from(times).sort();
  const rate = times.length / seconds(quick);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), rate };
}

async function writeRate(directory: string, quick: boolean): Promise<Figures> {
  const names = Array.from({ length: WRITERS }, (_, index) => join(directory, `file-${index}`));
  for (const name of names) fillFile(name, RATE_FILE_BYTES);
  settle();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const durationMs = seconds(quick) * 1000;
  const main = new URL('./writer-thread.js', import.meta.url);
  let ready = 0;
  let written = 0;
  await Promise.all(
    names.map(
      (name, index) =>
        new Promise<void>((resolve, reject) => {
          const workerData = { name, seed: index + 1, gate, durationMs };
          const worker = new Worker(main, { workerData });
          worker.on('message', (message: number | 'ready') => {
            if (message === 'ready') {
              ready += 1;
              if (ready < WRITERS) return;
              Atomics.store(gate, 0, 1);
              Atomics.notify(gate, 0);
              return;
            }
            written += message;
          });
          worker.once('error', reject);
          worker.once('exit', () => resolve());
        }),
    ),
  );
  return { rate: written / (durationMs / 1000) };
}

function sequential(directory: string, quick: boolean): Figures {
  const total = (quick ? 256 : 768) * MIB;
  const block = Buffer.alloc(MIB, 0x77);
  settle();
  let tookMs = 0;
  for (let file = 0; file < SEQUENTIAL_FILES; file += 1) {
    const path = join(directory, `long-${file}`);
    const fd = openSync(path, 'wx');
    const before = performance.now();
    for (let at = 0; at < total; at += MIB) writeSync(fd, block, 0, MIB, at);
    fdatasyncSync(fd);
    tookMs += performance.now() - before;
    ftruncateSync(fd, 0);
    closeSync(fd);
    rmSync(path);
  }
  return { rate: (SEQUENTIAL_FILES * total) / MIB / (tookMs / 1000) };
}

function smallFiles(directory: string, quick: boolean): Figures {
  const limitMs = seconds(quick) * 1000;
  const content = Buffer.alloc(BLOCK_BYTES, 0x33);
  settle();
  const before = performance.now();
  let files = 0;
  while (performance.now() - before < limitMs) {
    const folder = join(directory, `d${Math.floor(files / FILES_PER_DIRECTORY)}`);
    if (files % FILES_PER_DIRECTORY === 0) mkdirSync(folder);
    writeFileSync(join(folder, `f${files}`), content, { flag: 'wx' });
    files += 1;
  }
  return { rate: files / ((performance.now() - before) / 1000) };
}

function appendSync(directory: string, quick: boolean): Figures {
  const limitMs = seconds(quick) * 1000;
  const record = Buffer.alloc(RECORD_BYTES, 0x41);
  settle();
  const fd = openSync(join(directory, 'journal'), 'a');
  const before = performance.now();
  let commits = 0;
  while (performance.now() - before < limitMs) {
    writeSync(fd, record);
    fdatasyncSync(fd);
    commits += 1;
  }
  const rate = commits / ((performance.now() - before) / 1000);
  closeSync(fd);
  return { rate };
}

async function postgres(directory: string, quick: boolean): Promise<Figures> {
  return { rate: await pgbench(directory, quick ? 4 : 12) };
}

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  writeLatency,
  writeRate,
  sequential,
  smallFiles,
  appendSync,
  postgres,
};
