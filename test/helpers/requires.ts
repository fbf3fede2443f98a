/**
 * Skips that cannot be overlooked. A test names what it needs:
 *
 *     test('sqlite on the mount', { skip: missing({ fuse: true, commands: ['sqlite3'] }) }, async
 *     (t) => …)
 *
 * The runner repeats every reason at its end, and with TWINFS_STRICT=1 (continuous integration)
 * counts a missing requirement as a failure: there everything must have been installed.
 */
import * as fs from 'node:fs';
import { delimiter, join } from 'node:path';
import { repoRoot } from './paths.js';

export interface Requirements {
  readonly root?: boolean;
  /** /dev/fuse, and root, which mounting needs. */
  readonly fuse?: boolean;
  /** The built native addon. */
  readonly addon?: boolean;
  readonly commands?: readonly string[];
  /** Any of the files of a list must exist, for each list. */
  readonly files?: readonly string[];
}

export const MISSING_PREFIX = 'missing: ';
export const LONG_PREFIX = 'long: ';

const SEARCHED = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;

/** Full path of a command, or null. */
export function findCommand(name: string): string | null {
  const found = SEARCHED.split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => fs.existsSync(path));
  return found ?? null;
}

/**
 * Folder of PostgreSQL's programs of the highest version installed (Debian keeps them off PATH), or
 * null.
 */
export function postgresBin(): string | null {
  const base = '/usr/lib/postgresql';
  const versions = fs.existsSync(base) ? fs.readdirSync(base) : [];
  const bins = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(base, version, 'bin'))
    .filter((bin) => fs.existsSync(join(bin, 'initdb')));
  return bins[0] ?? null;
}

/** For node:test's `skip` option: false when everything is there, else the reason. */
export function missing(needs: Requirements): string | false {
  const absent: string[] = [];
  const isRoot = process.getuid?.() === 0;
  if ((needs.root === true || needs.fuse === true) && !isRoot) absent.push('root');
  if (needs.fuse === true && !fs.existsSync('/dev/fuse')) absent.push('/dev/fuse');
  const addon = join(repoRoot, 'native-bindings/build/Release/twinfs.node');
  if (needs.addon === true && !fs.existsSync(addon)) absent.push('the native addon');
  absent.push(...(needs.commands ?? []).filter((name) => findCommand(name) === null));
  absent.push(...(needs.files ?? []).filter((path) => !fs.existsSync(path)));
  return absent.length === 0 ? false : MISSING_PREFIX + absent.join(', ');
}

/** True in `npm run test:long`. */
export const isLongRun = process.env['TWINFS_LONG'] === '1';

/** For `skip`: the reason in a short run, else what is missing of `needs`. */
export function longOnly(needs: Requirements = {}): string | false {
  return isLongRun ? missing(needs) : `${LONG_PREFIX}part of "npm run test:long"`;
}
