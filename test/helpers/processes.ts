/**
 * Processes as /proc shows them. Every background process of twinfs carries `--state DIR` in its
 * arguments: that is how all the processes of a node, and only those, are found.
 */
import * as fs from 'node:fs';
import { waitFor } from './wait-for.js';

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** 'Z' is a zombie: gone, but not yet reaped by its parent. */
  readonly state: string;
  /** Clock ticks after boot when it started: with the pid it names one process for ever. */
  readonly startedAt: string;
  readonly argv: readonly string[];
}

/** One process, or null when it is gone. */
export function processInfo(pid: number): ProcessInfo | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const argv = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1);
    // proc(5): the command in parentheses may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      state: fields[0] ?? '?',
      startedAt: fields[19] ?? '0',
      argv,
    };
  } catch {
    return null;
  }
}

/** Every live process; zombies are left out. */
export function listProcesses(): ProcessInfo[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processInfo(Number(name)))
    .filter((info): info is ProcessInfo => info !== null && info.state !== 'Z');
}

/**
 * Live processes with an argument that contains `text`; this one and its ancestors are left out.
 */
export function processesMentioning(text: string): ProcessInfo[] {
  const own = new Set<number>();
  for (let pid = process.pid; pid > 0; pid = processInfo(pid)?.parent ?? 0) own.add(pid);
  return listProcesses().filter(
    (info) => !own.has(info.pid) && info.argv.some((argument) => argument.includes(text)),
  );
}

/** All processes of the node whose state directory is `stateDir`. */
export function pidsOfState(stateDir: string): number[] {
  const isOurs = (argv: readonly string[]): boolean =>
    argv.some(
      (argument, index) =>
        argument === `--state=${stateDir}` ||
        (argument === '--state' && argv[index + 1] === stateDir),
    );
  return listProcesses()
    .filter((info) => info.pid !== process.pid && isOurs(info.argv))
    .map((info) => info.pid);
}

/** Sends a signal to each; those that are gone are no error. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * SIGKILLs whatever `find` finds, again and again (a process may be forking), until it finds
 * nothing.
 */
export async function killUntilGone(
  find: () => readonly number[],
  what: string,
): Promise<number[]> {
  const killed = new Set<number>();
  await waitFor(
    `the end of ${what}`,
    () => {
      const pids = find();
      signalAll(pids, 'SIGKILL');
      for (const pid of pids) killed.add(pid);
      return pids.length === 0;
    },
    { timeoutMs: 15_000, everyMs: 10 },
  );
  return [...killed];
}
