/**
 * One of the many writers of `writeRate`: overwrites blocks of its own file until the time is up.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BLOCK_BYTES, RATE_FILE_BYTES, blockNumbers } from './workloads.js';

const plan = workerData as {
  readonly name: string;
  readonly seed: number;
  readonly gate: Int32Array;
  readonly durationMs: number;
};

const fd = openSync(plan.name, constants.O_WRONLY);
const block = Buffer.alloc(BLOCK_BYTES, plan.seed);
const places = blockNumbers(RATE_FILE_BYTES / BLOCK_BYTES, plan.seed);
parentPort?.postMessage('ready');
Atomics.wait(plan.gate, 0, 0);
const until = performance.now() + plan.durationMs;
let written = 0;
while (performance.now() < until) {
  writeSync(fd, block, 0, BLOCK_BYTES, places.next().value * BLOCK_BYTES);
  written += 1;
}
parentPort?.postMessage(written);
closeSync(fd);
