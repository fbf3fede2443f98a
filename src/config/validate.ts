/**
 * May a node start here? The decisions alone, on facts that io/ gathers: each returns the refusal
 * or null, cheapest and most telling first. Pure.
 */
import { TwinfsError } from '../errors.js';
import type { Config } from './config.js';
import { bindMountsOf, isTwinfs, mountAt, mountOf, mountsBelow } from './mounts.js';
import type { MountEntry } from './mounts.js';
import { isWithin, showPath } from './paths.js';

/** `dead`: a FUSE mount whose daemon is gone (ENOTCONN). */
export type PathKind = 'directory' | 'missing' | 'other' | 'dead';

export interface MachineFacts {
  readonly effectiveUid: number;
  readonly hasFuseDevice: boolean;
}

export interface DirectoryFacts {
  readonly directory: PathKind;
  readonly mountpoint: PathKind;
  readonly mounts: readonly MountEntry[];
  /** This program's script, package and interpreter: must not be read through our own mount. */
  readonly programPaths: readonly Buffer[];
}

/** A daemon that runs on this machine. */
export interface DaemonFacts {
  readonly pid: number;
  readonly stateDir: string;
  readonly directory: Buffer;
  readonly mountpoint: Buffer;
}

/** A process that uses something at or below a path from outside the mirror. */
export interface PathUser {
  readonly pid: number;
  readonly command: string;
  readonly how: 'works in' | 'has its root in' | 'has open' | 'runs' | 'maps';
  readonly path: Buffer;
}

export function checkMachine(config: Config, facts: MachineFacts): TwinfsError | null {
  if (facts.effectiveUid !== 0) {
    return new TwinfsError(
      'not-root',
      'notRoot',
      `twinfs ${config.start} needs root: it mounts, and keeps owners and permissions; run it with sudo`,
    );
  }
  if (config.start === 'mount' && !facts.hasFuseDevice) {
    return new TwinfsError(
      'no-fuse',
      'noFuse',
      '/dev/fuse is missing: load the module with "modprobe fuse"; ' +
        'a container needs "--device /dev/fuse" and CAP_SYS_ADMIN',
    );
  }
  return null;
}

export function checkRunning(config: Config, daemons: readonly DaemonFacts[]): TwinfsError | null {
  for (const daemon of daemons) {
    if (daemon.stateDir === config.stateDir && !daemon.directory.equals(config.directory)) {
      return alreadyRunning(
        `the state directory ${config.stateDir} is in use for ${showPath(daemon.directory)}`,
        daemon.pid,
        'name another with --state',
      );
    }
    if (daemon.directory.equals(config.directory)) {
      return alreadyRunning(
        `${showPath(config.directory)} is mounted or served already`,
        daemon.pid,
        `see "twinfs status ${showPath(config.directory)}"`,
      );
    }
    if (config.start === 'mount' && daemon.mountpoint.equals(config.mountpoint)) {
      return alreadyRunning(
        `${showPath(config.mountpoint)} shows ${showPath(daemon.directory)} already`,
        daemon.pid,
        'name another mountpoint, or unmount that one',
      );
    }
  }
  return null;
}

export const alreadyRunning = (what: string, pid: number | null, next: string): TwinfsError =>
  new TwinfsError(
    'already-running',
    'alreadyMounted',
    `${what}${pid === null ? '' : `, by process ${pid}`}; ${next}`,
  );

export function checkDirectories(config: Config, facts: DirectoryFacts): TwinfsError | null {
  const inPlace = config.directory.equals(config.mountpoint);
  return (
    checkKind(config.directory, facts.directory) ??
    (inPlace ? null : checkKind(config.mountpoint, facts.mountpoint)) ??
    checkNesting(config, facts) ??
    checkMounts(config, facts)
  );
}

function checkKind(path: Buffer, kind: PathKind): TwinfsError | null {
  const name = showPath(path);
  switch (kind) {
    case 'directory':
      return null;
    case 'missing':
      return badDirectory('dir-missing', `${name} does not exist; create it, or check the name`);
    case 'other':
      return badDirectory('not-a-directory', `${name} is not a directory; name one`);
    case 'dead':
      return badDirectory(
        'dead-mount',
        `${name} is a mount whose daemon is gone; clear it with "twinfs umount ${name}"`,
      );
  }
}

const badDirectory = (code: string, message: string): TwinfsError =>
  new TwinfsError(code, 'badDirectory', message);

/** What would make the mirror contain itself, or wait for itself. */
function checkNesting(config: Config, facts: DirectoryFacts): TwinfsError | null {
  const { directory, mountpoint } = config;
  const shown = showPath(directory);
  const state = Buffer.from(config.stateDir);
  if (isWithin(state, directory) || isWithin(state, mountpoint)) {
    return badDirectory(
      'state-inside',
      `the state directory ${config.stateDir} lies inside ${shown}; name one outside with --state`,
    );
  }
  if (isWithin(directory, state)) {
    return badDirectory(
      'inside-state',
      `${shown} lies inside the state directory ${config.stateDir}; name another with --state`,
    );
  }
  const logFile = config.logFile === null ? null : Buffer.from(config.logFile);
  if (logFile !== null && (isWithin(logFile, directory) || isWithin(logFile, mountpoint))) {
    return badDirectory(
      'log-inside',
      `the log file ${config.logFile} lies inside ${shown}; name one outside with --log`,
    );
  }
  const program = facts.programPaths.find(
    (path) => isWithin(path, directory) || isWithin(path, mountpoint),
  );
  if (program !== undefined) {
    return badDirectory(
      'program-inside',
      `twinfs itself (${showPath(program)}) lies inside ${shown}; install it elsewhere: ` +
        'a daemon must not read its program through its own mount',
    );
  }
  if (directory.equals(mountpoint)) return null;
  if (!isWithin(mountpoint, directory) && !isWithin(directory, mountpoint)) return null;
  return badDirectory(
    'mountpoint-nested',
    `${showPath(mountpoint)} and ${shown} lie inside one another; ` +
      'mount in place (leave MOUNTPOINT out) or quite elsewhere',
  );
}

function checkMounts(config: Config, facts: DirectoryFacts): TwinfsError | null {
  const { directory, mountpoint } = config;
  for (const path of [directory, mountpoint]) {
    const entry = mountAt(facts.mounts, path);
    if (entry !== null && isTwinfs(entry)) {
      return alreadyRunning(
        `${showPath(path)} is a mounted mirror already`,
        null,
        `unmount it with "twinfs umount ${showPath(path)}", ` +
          `or with "umount -l ${showPath(path)}" when no daemon answers`,
      );
    }
    const home = mountOf(facts.mounts, path);
    if (home !== null && isTwinfs(home)) {
      return badDirectory(
        'inside-mirror',
        `${showPath(path)} lies inside the mirror mounted at ${showPath(home.mountpoint)}; ` +
          'mirror a directory outside it',
      );
    }
  }
  const below = mountsBelow(facts.mounts, directory)[0];
  if (below === undefined || config.force) return null;
  return badDirectory(
    'mount-inside',
    `another filesystem is mounted inside ${showPath(directory)}, at ` +
      `${showPath(below.mountpoint)}; a mirror keeps one filesystem: unmount it, mirror it on its ` +
      'own, or go on without it by --force',
  );
}

const USERS_NAMED_MAX = 5;

/** "process 4711 (bash) works in /srv/data; …", not more than a few. */
export function usersText(users: readonly PathUser[], others: readonly string[] = []): string {
  const lines = users.map(
    (user) => `process ${user.pid} (${user.command}) ${user.how} ${showPath(user.path)}`,
  );
  lines.push(...others);
  const more = lines.length - USERS_NAMED_MAX;
  return lines.slice(0, USERS_NAMED_MAX).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** Those in DIR from before the mount go around it: their changes would not be mirrored. */
export function checkUsers(
  config: Config,
  users: readonly PathUser[],
  mounts: readonly MountEntry[],
): TwinfsError | null {
  const ways = bindMountsOf(mounts, config.directory).map(
    (entry) => `a bind mount at ${showPath(entry.mountpoint)} shows the same files`,
  );
  if (config.force || users.length + ways.length === 0) return null;
  return new TwinfsError(
    'in-use',
    'inUse',
    `${showPath(config.directory)} is in use, and changes made that way would not be mirrored: ` +
      `${usersText(users, ways)}. End these first, or go on all the same with --force`,
  );
}
