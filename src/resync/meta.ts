/**
 * Attributes as listed, as sent and as compared; and which errors mean "it is not there any more".
 */
import type { TreeEntry, TreeMeta } from '../io/native.js';
import type { Meta, Problem } from '../wire/messages.js';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const PERMISSIONS = 0o7777;

export const typeOf = (mode: number): number => mode & S_IFMT;
export const isDirectory = (mode: number): boolean => typeOf(mode) === S_IFDIR;
export const isRegular = (mode: number): boolean => typeOf(mode) === S_IFREG;
export const isSymlink = (mode: number): boolean => typeOf(mode) === S_IFLNK;

/**
 * `linkGroup` is the inode number of what has several names, so that they become one inode over
 * there.
 */
export function metaOf(entry: TreeEntry): Meta {
  return {
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: isRegular(entry.mode) ? entry.size : 0,
    mtime: entry.mtime,
    rdev: entry.rdev,
    target: entry.target,
    xattrs: entry.xattrs,
    linkGroup: !isDirectory(entry.mode) && entry.nlink > 1 ? entry.ino : 0n,
  };
}

export const treeMetaOf = (meta: Meta): TreeMeta => ({
  mode: meta.mode,
  uid: meta.uid,
  gid: meta.gid,
  mtime: meta.mtime,
  xattrs: meta.xattrs,
});

/** Same kind of thing: same type, and for symlinks and devices the same content. */
export function sameKind(own: TreeEntry, meta: Meta): boolean {
  return (
    typeOf(own.mode) === typeOf(meta.mode) &&
    own.rdev === meta.rdev &&
    own.target.equals(meta.target)
  );
}

/** Owner, mode and xattrs; a symlink's mode has no meaning. */
export function sameAttributes(own: TreeEntry, meta: Meta): boolean {
  if (own.uid !== meta.uid || own.gid !== meta.gid) return false;
  if (!isSymlink(own.mode) && (own.mode & PERMISSIONS) !== (meta.mode & PERMISSIONS)) return false;
  if (own.xattrs.length !== meta.xattrs.length) return false;
  return own.xattrs.every((xattr, index) => {
    const other = meta.xattrs[index];
    return other !== undefined && xattr.name.equals(other.name) && xattr.value.equals(other.value);
  });
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** Renamed, removed or replaced by another kind of thing since it was listed. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE', 'EISDIR', 'ENXIO']);
export const isGone = (error: unknown): boolean => GONE.has(codeOf(error));

export const showPath = (path: Buffer): string =>
  path.length === 0 ? 'the directory itself' : path.toString();

/**
 * A failure on the target as the source is told of it; null: no system call failed, it is a bug.
 */
export function problemOf(error: unknown, path: Buffer): Problem | null {
  const { errno, message } = error as NodeJS.ErrnoException;
  if (errno === undefined || errno === 0) return null;
  return {
    errno: Math.abs(errno),
    text: `${showPath(path)}: ${message}`,
    missing: isGone(error),
  };
}
