/** The demo's own directory, and leaving the machine as it was: no process, mount or file stays. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause, systemClock } from '../io/system-clock.js';

const END_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** A directory that other users (PostgreSQL's) may pass through. */
export function makeBase(): string {
  const base = mkdtempSync(join(tmpdir(), 'twinfs-demo-'));
  chmodSync(base, 0o755);
  return base;
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** False for a zombie as well (proc(5)). */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

const allPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);

/** Every process that carries `--state DIR`. */
export const processesOf = (state: string): number[] =>
  allPids().filter((pid) => {
    const words = argumentsOf(pid);
    return isRunning(pid) && words[words.indexOf('--state') + 1] === state;
  });

const processesBelow = (base: string): number[] =>
  allPids().filter((pid) => isRunning(pid) && argumentsOf(pid).some((word) => word.includes(base)));

function mountsBelow(base: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${base}/`))
    .reverse();
}

/** Removes mounts, processes and files below `base`; lines that say what could not be removed. */
export async function clear(base: string): Promise<string[]> {
  const deadline = systemClock.monotonicMs() + END_TIMEOUT_MS;
  while (mountsBelow(base).length + processesBelow(base).length > 0) {
    for (const path of mountsBelow(base)) spawnSync('umount', ['-l', path], { stdio: 'ignore' });
    for (const pid of processesBelow(base)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    if (systemClock.monotonicMs() > deadline) break;
    await pause(POLL_MS);
  }
  const left = [
    ...mountsBelow(base).map((path) => `the mount ${path}`),
    ...processesBelow(base).map((pid) => `process ${pid}`),
  ];
  const removal = spawnSync('rm', ['-rf', '--one-file-system', '--', base], { encoding: 'utf8' });
  if (removal.status !== 0) left.push(`files: ${removal.stderr.trim()}`);
  return left;
}
