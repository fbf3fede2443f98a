/**
 * Facts about this machine and its paths for the checks before a start, and the clearing of dead
 * mounts.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { directoryOfMount, isReadOnlyBind, isTwinfs, mountAt } from '../config/mounts.js';
import { parseMountinfo, type MountEntry } from '../config/mounts.js';
import { canonicalPath, showPath } from '../config/paths.js';
import type { MachineFacts, PathKind } from '../config/validate.js';
import { TwinfsError, errorText } from '../errors.js';
import { PATH_PROBE_TIMEOUT_MS } from '../limits.js';
import { makeDirs } from './make-dirs.js';
import { native } from './native.js';
import { systemTimers } from './system-clock.js';

export const machineFacts = (): MachineFacts => ({
  effectiveUid: process.geteuid?.() ?? -1,
  hasFuseDevice: fs.existsSync('/dev/fuse'),
});

export const readMounts = (): MountEntry[] =>
  parseMountinfo(fs.readFileSync('/proc/self/mountinfo'));

/**
 * The canonical form of a path that may lead to a mirror whose daemon is gone or hangs: the mount
 * itself is never asked. Relative paths start from the working directory.
 */
export function canonical(path: Buffer, mounts: readonly MountEntry[]): Buffer {
  const start = path[0] === 0x2f ? path : Buffer.concat([workingDirectory(), SLASH, path]);
  return canonicalPath(start, {
    readLink: (candidate) => {
      try {
        return fs.readlinkSync(candidate, { encoding: 'buffer' });
      } catch {
        return null;
      }
    },
    isOpaque: (candidate) => {
      const entry = mountAt(mounts, candidate);
      return entry !== null && isTwinfs(entry);
    },
  });
}

const SLASH = Buffer.from('/');

/**
 * Asked of /proc, as bytes: getcwd(3) would fail in a dead mount and read badly if it is not UTF-8.
 */
const workingDirectory = (): Buffer => fs.readlinkSync('/proc/self/cwd', { encoding: 'buffer' });

/**
 * The bytes of an argument: Node decodes arguments as UTF-8, which loses those that are not. `text`
 * is the argument as Node shows it.
 */
export function argumentBytes(text: string): Buffer {
  if (!text.includes('\ufffd')) return Buffer.from(text);
  const line = fs.readFileSync('/proc/self/cmdline').toString('latin1');
  const found = line
    .split('\0')
    .map((argument) => Buffer.from(argument, 'latin1'))
    .find((argument) => argument.toString('utf8') === text);
  return found ?? Buffer.from(text);
}

/**
 * What is at `path`. A mount that does not answer in time counts as a directory: it is certainly
 * there, and who serves it is found in other ways.
 */
export async function pathKind(path: Buffer): Promise<PathKind> {
  return new Promise((resolve) => {
    const cancel = systemTimers.setTimer(PATH_PROBE_TIMEOUT_MS, () => resolve('directory'));
    const done = (kind: PathKind): void => {
      cancel();
      resolve(kind);
    };
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ENOTCONN') done('dead');
      else done(error.code === 'ENOTDIR' ? 'other' : 'missing');
    };
    fs.stat(path, (error, stats) => {
      if (error !== null) return failed(error);
      if (!stats.isDirectory()) return done('other');
      // The kernel may know a dead mount's attributes by heart; its free space it has to ask for.
      return fs.statfs(path, (dead) => (dead === null ? done('directory') : failed(dead)));
    });
  });
}

/**
 * What a killed daemon of ours left mounted for `directory`, uppermost first: a FUSE mount nobody
 * answers, a read-only bind over a served directory. Also what is at `directory` itself when it is
 * named by its mountpoint. Nothing may be running for it: the caller has made sure.
 */
export async function deadMounts(directory: Buffer): Promise<MountEntry[]> {
  const mounts = readMounts();
  const dead: MountEntry[] = [];
  for (const entry of mounts.toReversed()) {
    const here = entry.mountpoint.equals(directory);
    const shows = directoryOfMount(entry)?.equals(directory) ?? false;
    if (isTwinfs(entry) && (here || shows)) {
      if ((await pathKind(entry.mountpoint)) === 'dead') dead.push(entry);
    } else if (here && isReadOnlyBind(mounts, entry)) {
      dead.push(entry);
    }
  }
  return dead;
}

/** umount2(2) with MNT_DETACH: needs nobody's answer. */
export async function detach(path: Buffer): Promise<void> {
  try {
    await native().unmount(path, true);
    return;
  } catch (error) {
    if (!(error instanceof TwinfsError)) throw cannotDetach(path, errorText(error));
  }
  // The addon is not built here (portable engine): the system's own tool does it.
  const result = spawnSync('umount', ['-l', '--', path.toString()], { encoding: 'utf8' });
  if (result.status !== 0) throw cannotDetach(path, result.stderr.trim());
}

const cannotDetach = (path: Buffer, why: string): TwinfsError =>
  new TwinfsError(
    'umount-failed',
    'failed',
    `cannot unmount ${showPath(path)}: ${why}; try "umount -l ${showPath(path)}"`,
  );

/** True when a node of a mirror has kept its record here. */
export const hasRecord = (stateDir: string): boolean => fs.existsSync(join(stateDir, RECORD_NAME));

const RECORD_NAME = 'node.json';

/** The record as it was last written, for people to look at; null: none, or not readable. */
export function peekRecord(stateDir: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(join(stateDir, RECORD_NAME), 'utf8'));
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

/** Makes the state directory, mode 0700. Throws `bad-state`. */
export function makeStateDir(path: string): void {
  try {
    makeDirs(path, 0o700);
    // The dot: an executable file must not pass.
    fs.accessSync(`${path}/.`, fs.constants.W_OK | fs.constants.X_OK);
  } catch (cause) {
    throw new TwinfsError(
      'state-unusable',
      'badState',
      `cannot use the state directory ${path}: ${errorText(cause)}; name another with --state`,
      cause,
    );
  }
}
