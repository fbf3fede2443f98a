/**
 * The memory trial: after 10 GiB and 200,000 files, how much do all processes of each node hold?
 * `node memory.js [quick]` prints one line of JSON.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestNode } from '../test/helpers/node-process.js';
import { Cleanups, finish, prepare } from './contestants.js';

const MIB = 1024 * 1024;
/** Written over and over, so that the trial needs no more disk than this. */
const FILE_MIB = 1024;
const FILES_PER_DIRECTORY = 1000;
const SAMPLE_EVERY_FILES = 2000;
const SAMPLE_EVERY_MIB = 256;
const IDLE_MS = 3_000;

export interface MemoryFigures {
  readonly writtenMib: number;
  readonly files: number;
  readonly queueMib: number;
  /** MiB resident a few seconds after the load, and at the worst moment seen. */
  readonly nodes: readonly {
    readonly name: string;
    readonly after: number;
    readonly peak: number;
  }[];
}

/** VmRSS of all processes of a node, MiB (proc(5)). */
function residentMib(node: TestNode): number {
  const kib = node.pids().map((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return kib.reduce((sum, value) => sum + value, 0) / 1024;
}

async function measure(quick: boolean): Promise<MemoryFigures> {
  const [writtenMib, files] = quick ? [1024, 20_000] : [10_240, 200_000];
  const cleanups = new Cleanups();
  try {
    const stage = await prepare('semi-sync', cleanups);
    const peaks = new Map(stage.nodes.map((node) => [node.name, 0]));
    const sample = (): void => {
      for (const node of stage.nodes)
        peaks.set(node.name, Math.max(peaks.get(node.name) ?? 0, residentMib(node)));
    };
    const block = Buffer.alloc(MIB, 0x61);
    const fd = openSync(join(stage.directory, 'large'), 'w');
    for (let mib = 0; mib < writtenMib; mib += 1) {
      writeSync(fd, block, 0, MIB, (mib % FILE_MIB) * MIB);
      if (mib % SAMPLE_EVERY_MIB === 0) sample();
    }
    closeSync(fd);
    for (let file = 0; file < files; file += 1) {
      const folder = join(stage.directory, `d${Math.floor(file / FILES_PER_DIRECTORY)}`);
      if (file % FILES_PER_DIRECTORY === 0) mkdirSync(folder);
      writeFileSync(join(folder, `f${file}`), 'content\n');
      if (file % SAMPLE_EVERY_FILES === 0) sample();
    }
    sample();
    await delay(IDLE_MS);
    const nodes = stage.nodes.map((node) => {
      const after = residentMib(node);
      return { name: node.name, after, peak: Math.max(after, peaks.get(node.name) ?? 0) };
    });
    await finish(stage);
    return { writtenMib, files, queueMib: 64, nodes };
  } finally {
    await cleanups.run();
  }
}

process.stdout.write(`${JSON.stringify(await measure(process.argv[2] === 'quick'))}\n`);
