/**
 * One daemon per mirror and node: a flock(2) on `<state>/lock` and one on the protected directory,
 * both kept until the process ends, however it ends. The lock file also tells others who holds it.
 *
 * Node has no flock(2); flock(1) of util-linux locks a descriptor it inherits, and as a lock
 * belongs to the open file description, it stays with ours.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { showPath } from '../config/paths.js';
import { alreadyRunning, type DaemonFacts } from '../config/validate.js';
import { TwinfsError, errorText } from '../errors.js';

export const lockPath = (stateDir: string): string => join(stateDir, 'lock');

export interface LockInfo {
  readonly pid: number;
  readonly directory: Buffer;
  readonly mountpoint: Buffer;
}

/**
 * Takes both locks for this process, until it ends. Throws `already-running`, naming the other's
 * process.
 */
export function takeLocks(stateDir: string, info: LockInfo): void {
  const fd = fs.openSync(lockPath(stateDir), fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  if (!lockDescriptor(fd)) {
    const holder = readLock(stateDir);
    fs.closeSync(fd);
    throw alreadyRunning(
      `the state directory ${stateDir} is in use`,
      holder?.pid ?? null,
      'one daemon keeps it at a time: stop that one, or name another with --state',
    );
  }
  // Before DIR is opened: whoever finds DIR open by this process finds out what it is, too.
  fs.ftruncateSync(fd, 0);
  fs.writeSync(fd, lockText(info), 0);
  const directoryFd = openDirectory(info.directory);
  if (!lockDescriptor(directoryFd)) {
    fs.closeSync(directoryFd);
    fs.closeSync(fd);
    throw alreadyRunning(
      `${showPath(info.directory)} is mounted or served already`,
      null,
      'stop that daemon first',
    );
  }
}

function openDirectory(path: Buffer): number {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch (cause) {
    throw new TwinfsError(
      'cannot-open',
      'badDirectory',
      `cannot open ${showPath(path)}: ${errorText(cause)}`,
      cause,
    );
  }
}

function lockDescriptor(fd: number): boolean {
  const result = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  if (result.status === 0) return true;
  if (result.status === 1) return false;
  throw new TwinfsError(
    'no-flock',
    'failed',
    `flock(1) of util-linux is needed and does not work here: ${result.error?.message ?? `status ${result.status}`}`,
  );
}

/** Paths as base64 for programs (they may be no text), as text for people. */
function lockText(info: LockInfo): string {
  const fields = {
    pid: info.pid,
    shown: showPath(info.directory),
    directory: info.directory.toString('base64'),
    mountpoint: info.mountpoint.toString('base64'),
  };
  return `${JSON.stringify(fields)}\n`;
}

/** Who wrote the lock last; says nothing about whether that process still lives. Null: nobody. */
export function readLock(stateDir: string): DaemonFacts | null {
  try {
    const text = fs.readFileSync(lockPath(stateDir), 'utf8');
    const fields = JSON.parse(text) as Record<string, unknown>;
    const pid = Number(fields['pid']);
    if (!Number.isSafeInteger(pid) || pid <= 0) return null;
    return {
      pid,
      stateDir,
      directory: Buffer.from(String(fields['directory']), 'base64'),
      mountpoint: Buffer.from(String(fields['mountpoint']), 'base64'),
    };
  } catch {
    return null;
  }
}
