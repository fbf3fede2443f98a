/**
 * The benchmarks: `npm run bench`, or `node dist/bench/run.js [--quick] [--rounds N] [WORD …]`.
 * Rounds are interleaved (every contestant once, then again) and each trial has a process of its
 * own; figures are medians, ratios are taken round by round. Words choose trials ("memory" is one).
 * The JSON goes to bench/results/, the table to standard output; exits 1 when a target is missed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPostgres } from '../src/demo/postgres.js';
import { repoRoot } from '../test/helpers/paths.js';
import { removeLeftovers } from '../test/helpers/leftovers.js';
import { makeRoot, staleRoots } from '../test/helpers/temp-dir.js';
import type { MemoryFigures } from './memory.js';
import { trialTable, verdicts, type Run, type Verdict } from './report.js';
import { MEMORY_MIB_MAX, TRIALS, type Trial } from './trials.js';
import type { Figures } from './workloads.js';

const TRIAL_TIMEOUT_MS = 900_000;
const MEMORY = 'memory';

interface Plan {
  readonly quick: boolean;
  readonly rounds: number;
  readonly trials: readonly Trial[];
  readonly memory: boolean;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function parse(args: readonly string[]): Plan | string {
  const quick = args.includes('--quick');
  const at = args.indexOf('--rounds');
  const rounds = at < 0 ? (quick ? 1 : 3) : Number(args[at + 1]);
  if (!Number.isInteger(rounds) || rounds < 1) return '--rounds needs a whole number from 1';
  const words = args.filter((arg, index) => !arg.startsWith('--') && (at < 0 || index !== at + 1));
  const unknown = args.find((arg) => arg.startsWith('--') && !/^--(quick|rounds)$/.test(arg));
  if (unknown !== undefined) return `unknown option ${unknown}`;
  const names = [...TRIALS.map((trial) => trial.name), MEMORY];
  const chosen = (name: string): boolean =>
    words.length === 0 ||
    words.some((word) => (names.includes(word) ? name === word : name.includes(word)));
  const trials = TRIALS.filter((trial) => chosen(trial.name));
  const memory = chosen(MEMORY);
  if (trials.length === 0 && !memory) {
    return `no trial matches ${words.join(' ')}; there are ${names.join(', ')}`;
  }
  return { quick, rounds, trials, memory };
}

/** Runs a script of this folder in a process of its own; its last line is JSON. */
function inProcess<T>(script: string, args: readonly string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, TWINFS_TEST_LOG_LEVEL: 'info' };
  const options = { env, timeout: TRIAL_TIMEOUT_MS } as const;
  const child = spawn(process.execPath, [path, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      const line = output.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve(JSON.parse(line) as T);
      else reject(new Error(`${script} ${args.join(' ')} ended with ${String(code)}`));
    });
  });
}

/** A run that fails is told and left out; a target that lacks it counts as missed. */
async function runTrial(trial: Trial, plan: Plan): Promise<Run[]> {
  const runs: Run[] = [];
  const size = plan.quick ? ['quick'] : [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const contestant of trial.contestants) {
      progress(`${trial.name} ${contestant} round ${round} of ${plan.rounds}`);
      const words = [trial.workload, contestant, ...size];
      try {
        const figures = await inProcess<Figures>('./trial.js', words);
        runs.push({ trial: trial.name, contestant, round, figures });
      } catch (error) {
        say(`FAILED ${trial.name} ${contestant} round ${round}: ${String(error)}`);
      }
    }
  }
  progress('');
  return runs;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function memoryVerdicts(figures: MemoryFigures): Verdict[] {
  const limit = MEMORY_MIB_MAX + figures.queueMib;
  return figures.nodes.map(({ name, after, peak }) => ({
    trial: MEMORY,
    text:
      `memory: ${name} holds ${after.toFixed(0)} MiB (peak ${peak.toFixed(0)}) after ` +
      `${figures.writtenMib} MiB and ${figures.files} files, wanted at most ${limit} MiB`,
    reached: after <= limit,
  }));
}

function save(plan: Plan, runs: readonly Run[], memory: MemoryFigures | null): string {
  const folder = join(repoRoot, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const machine = {
    cpus: cpus().map((cpu) => cpu.model),
    kernel: release(),
    node: process.version,
  };
  const path = join(folder, `${at.replace(/[:.]/g, '-')}.json`);
  const content = { at, machine, quick: plan.quick, rounds: plan.rounds, runs, memory };
  writeFileSync(path, `${JSON.stringify(content, null, 1)}\n`);
  return path;
}

async function runAll(plan: Plan): Promise<number> {
  const judged: Verdict[] = [];
  const runs: Run[] = [];
  for (const trial of plan.trials) {
    const absent = trial.workload === 'postgres' ? findPostgres() : null;
    if (typeof absent === 'string') {
      say(`SKIPPED ${trial.name}: ${absent}\n`);
      continue;
    }
    const own = await runTrial(trial, plan);
    runs.push(...own);
    judged.push(...verdicts(trial, own));
    say(`${trialTable(trial, own)}\n`);
  }
  const size = plan.quick ? ['quick'] : [];
  const memory = plan.memory ? await inProcess<MemoryFigures>('./memory.js', size) : null;
  if (memory !== null) judged.push(...memoryVerdicts(memory));
  for (const { text, reached } of judged) say(`${reached ? 'ok   ' : 'SHORT'} ${text}`);
  say(`\nfigures: ${save(plan, runs, memory)}`);
  return judged.every((verdict) => verdict.reached) ? 0 : 1;
}

async function main(): Promise<number> {
  const plan = parse(process.argv.slice(2));
  if (typeof plan === 'string') {
    process.stderr.write(`bench: ${plan}\n`);
    return 2;
  }
  for (const stale of staleRoots()) await removeLeftovers(stale);
  const root = makeRoot();
  process.env['TWINFS_TEST_TMP'] = root;
  process.env['TMPDIR'] = root;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void removeLeftovers(root).finally(() => process.exit(130)));
  }
  try {
    return await runAll(plan);
  } finally {
    await removeLeftovers(root);
  }
}

process.exitCode = await main();
