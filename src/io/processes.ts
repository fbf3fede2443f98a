/**
 * Processes as /proc shows them (proc(5)): our own daemons, and who uses a directory. Everything
 * here may vanish while it is read; what cannot be read is left out.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { isWithin } from '../config/paths.js';
import type { DaemonFacts, PathUser } from '../config/validate.js';
import { STATE_ROOT } from '../config/state-name.js';
import { lockPath, readLock } from './lock.js';

const pids = (): number[] =>
  fs
    .readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

const readLink = (path: string): Buffer | null =>
  attempt(() => fs.readlinkSync(path, { encoding: 'buffer' }));

/** False for a zombie as well: it holds nothing any more. */
export function isAlive(pid: number): boolean {
  const stat = attempt(() => fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat !== null && stat[stat.lastIndexOf(')') + 2] !== 'Z';
}

/**
 * The twinfs daemons that run on this machine. Those in the background carry `--state DIR` in their
 * arguments; the default states are looked at as well. A lock file says whose it is, and only the
 * process that holds it open counts: pids are used again.
 */
export function findDaemons(): DaemonFacts[] {
  const states = new Set(pids().flatMap((pid) => stateArgument(pid) ?? []));
  for (const name of stateNames()) states.add(join(STATE_ROOT, name));
  return [...states].flatMap((stateDir) => {
    const holder = readLock(stateDir);
    if (holder === null || holder.pid === process.pid) return [];
    return isAlive(holder.pid) && hasOpen(holder.pid, lockPath(stateDir)) ? [holder] : [];
  });
}

/** Names below the default state root, of mirrors that run or once ran. */
export const stateNames = (): string[] => attempt(() => fs.readdirSync(STATE_ROOT)) ?? [];

function stateArgument(pid: number): string | null {
  const argv = attempt(() => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [];
  const at = argv.indexOf('--state');
  if (at >= 0) return argv[at + 1] ?? null;
  return argv.find((argument) => argument.startsWith('--state='))?.slice('--state='.length) ?? null;
}

/** Also true when we may not look: then what the lock file says has to do. */
function hasOpen(pid: number, path: string): boolean {
  const wanted = Buffer.from(path);
  const names = attempt(() => fs.readdirSync(`/proc/${pid}/fd`));
  if (names === null) return true;
  return names.some((name) => readLink(`/proc/${pid}/fd/${name}`)?.equals(wanted) ?? false);
}

/**
 * Processes that work in, have open, run or map something at or below `directory` (canonical), one
 * entry a process. Reads all of /proc: some hundred milliseconds on a busy machine, so not for a
 * hot path.
 */
export function findUsers(directory: Buffer): PathUser[] {
  const device = deviceOf(directory);
  return pids().flatMap((pid) => {
    if (pid === process.pid) return [];
    const user = userOf(pid, directory, device);
    return user === null ? [] : [user];
  });
}

/** Null: could not be told. */
const deviceOf = (directory: Buffer): number | null => attempt(() => fs.statSync(directory).dev);

function userOf(pid: number, directory: Buffer, device: number | null): PathUser | null {
  const found = (how: PathUser['how'], link: string): PathUser | null => {
    const path = readLink(link);
    if (path === null || !isWithin(path, directory)) return null;
    // The same path in a container, or under a mount made since, may be another file.
    const seen = attempt(() => fs.statSync(link).dev);
    if (device !== null && seen !== null && seen !== device) return null;
    return { pid, command: commandOf(pid), how, path };
  };
  const base = `/proc/${pid}`;
  const direct =
    found('works in', `${base}/cwd`) ??
    found('has its root in', `${base}/root`) ??
    found('runs', `${base}/exe`);
  if (direct !== null) return direct;
  for (const name of attempt(() => fs.readdirSync(`${base}/fd`)) ?? []) {
    const user = found('has open', `${base}/fd/${name}`);
    if (user !== null) return user;
  }
  const mapped = mappedPath(pid, directory);
  return mapped === null ? null : { pid, command: commandOf(pid), how: 'maps', path: mapped };
}

/**
 * One read of `maps` instead of a readlink for every entry of map_files; a newline is shown as
 * \012.
 */
function mappedPath(pid: number, directory: Buffer): Buffer | null {
  const maps = attempt(() => fs.readFileSync(`/proc/${pid}/maps`).toString('latin1'));
  if (maps === null) return null;
  const needle = directory.toString('latin1').replaceAll('\n', '\\012');
  if (!maps.includes(needle)) return null;
  for (const line of maps.split('\n')) {
    const at = line.indexOf('/');
    if (at < 0) continue;
    const path = Buffer.from(line.slice(at).replaceAll('\\012', '\n'), 'latin1');
    if (isWithin(path, directory)) return path;
  }
  return null;
}

const commandOf = (pid: number): string =>
  attempt(() => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? 'unknown';
