/** /proc/self/mountinfo (proc_pid_mountinfo(5)) as data, and the questions asked of it. Pure. */
import { isWithin } from './paths.js';

export interface MountEntry {
  readonly id: number;
  readonly parent: number;
  /** "major:minor" */
  readonly device: string;
  /** Path within its filesystem that is the root of this mount. */
  readonly root: Buffer;
  readonly mountpoint: Buffer;
  readonly readOnly: boolean;
  readonly type: string;
  readonly source: Buffer;
}

/**
 * Both engines mount with this type; the source, first column of /proc/mounts, is the directory.
 */
const TYPE = 'fuse.twinfs';

export function parseMountinfo(content: Buffer): MountEntry[] {
  const lines = content.toString('latin1').split('\n');
  return lines.flatMap((line) => {
    const entry = parseLine(line);
    return entry === null ? [] : [entry];
  });
}

/** "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
function parseLine(line: string): MountEntry | null {
  const fields = line.split(' ');
  const [id, parent, device, root, mountpoint, options] = fields;
  const dash = fields.indexOf('-', 6);
  const type = fields[dash + 1];
  if (dash < 0 || type === undefined || root === undefined || mountpoint === undefined) return null;
  return {
    id: Number(id),
    parent: Number(parent),
    device: device ?? '',
    root: unescapeField(root),
    mountpoint: unescapeField(mountpoint),
    readOnly: (options ?? '').split(',').includes('ro'),
    type,
    source: unescapeField(fields[dash + 2] ?? ''),
  };
}

/** Space, tab, newline and backslash stand as three octal digits. */
const unescapeField = (field: string): Buffer =>
  Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    ),
    'latin1',
  );

export const isTwinfs = (entry: MountEntry): boolean => entry.type === TYPE;

/** The protected directory that a mount shows; null for a mount that is no mirror. */
export const directoryOfMount = (entry: MountEntry): Buffer | null =>
  isTwinfs(entry) && entry.source[0] === 0x2f ? entry.source : null;

/** The uppermost mount exactly at `path`, or null. */
export const mountAt = (mounts: readonly MountEntry[], path: Buffer): MountEntry | null =>
  mounts.findLast((entry) => entry.mountpoint.equals(path)) ?? null;

/** The mount that `path` lies on (for a mountpoint: the uppermost mount there). */
export function mountOf(mounts: readonly MountEntry[], path: Buffer): MountEntry | null {
  let best: MountEntry | null = null;
  for (const entry of mounts) {
    if (!isWithin(path, entry.mountpoint)) continue;
    if (best === null || entry.mountpoint.length >= best.mountpoint.length) best = entry;
  }
  return best;
}

/** Other filesystems mounted below `path`. */
export const mountsBelow = (mounts: readonly MountEntry[], path: Buffer): MountEntry[] =>
  mounts.filter((entry) => !entry.mountpoint.equals(path) && isWithin(entry.mountpoint, path));

/**
 * True for what a serving daemon puts over its directory: a read-only bind mount of it upon itself.
 * Left behind when the daemon is killed.
 */
export function isReadOnlyBind(mounts: readonly MountEntry[], entry: MountEntry): boolean {
  const under = mounts.find((candidate) => candidate.id === entry.parent);
  if (under === undefined || !entry.readOnly || under.device !== entry.device) return false;
  const inside = pathWithin(under, entry.mountpoint);
  return inside !== null && inside.equals(entry.root);
}

/** Bind mounts elsewhere that show `path` or something below it: ways around a mirror of `path`. */
export function bindMountsOf(mounts: readonly MountEntry[], path: Buffer): MountEntry[] {
  const home = mountOf(mounts, path);
  const inside = home === null ? null : pathWithin(home, path);
  if (home === null || inside === null) return [];
  return mounts.filter(
    (entry) =>
      entry.device === home.device &&
      isWithin(entry.root, inside) &&
      !isWithin(entry.mountpoint, path) &&
      entry.id !== home.id,
  );
}

/** Path within the filesystem of what is seen at `path` through `entry`. */
function pathWithin(entry: MountEntry, path: Buffer): Buffer | null {
  if (!isWithin(path, entry.mountpoint)) return null;
  const rest = entry.mountpoint.equals(SLASH) ? path : path.subarray(entry.mountpoint.length);
  const joined = entry.root.equals(SLASH) ? rest : Buffer.concat([entry.root, rest]);
  if (joined.length === 0) return SLASH;
  return joined.length > 1 && joined[joined.length - 1] === 0x2f ? joined.subarray(0, -1) : joined;
}

const SLASH = Buffer.from('/');
