/**
 * Everything that can be seen of a tree, for tree-compare.ts. On purpose it uses nothing of the
 * product: Node's lstat with nanoseconds, and getfattr(1) for extended attributes (ACLs are among
 * them). Names are bytes, kept one character each (latin1). Directories are entered through
 * /proc/self/fd, so a path may be of any length.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

export interface Entry {
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block' | 'character';
  /** Permission bits with suid, sgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of regular files only: a directory's size is its filesystem's affair. */
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly rdev: bigint;
  readonly target: string;
  /** The first name (in sorted order) of the same inode; its own path when there is but one. */
  readonly firstName: string;
  readonly xattrs: Readonly<Record<string, string>>;
  /** A hash of each CHUNK_BYTES of a regular file, read under its first name only. */
  readonly chunks: readonly string[];
}

export const CHUNK_BYTES = 256 * 1024;

/** Path relative to the root ('' is the root) → entry. */
export type Tree = Map<string, Entry>;

/** Calls `visit` with the bytes of a path that reaches each entry, and its path from the root. */
function walk(root: string, visit: (reach: Buffer, path: string) => void): void {
  visit(Buffer.from(root), '');
  enter(Buffer.from(root), '', visit);
}

function enter(reach: Buffer, path: string, visit: (reach: Buffer, path: string) => void): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(reach, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const names = fs
      .readdirSync(reach, { encoding: 'buffer' })
      .sort((a, b) => Buffer.compare(a, b));
    for (const name of names) {
      const child = Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);
      const childPath = (path === '' ? '' : `${path}/`) + name.toString('latin1');
      visit(child, childPath);
      if (fs.lstatSync(child).isDirectory()) enter(child, childPath, visit);
    }
  } finally {
    fs.closeSync(fd);
  }
}

function typeOf(stat: fs.BigIntStats): Entry['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() ? 'block' : 'character';
}

export function scanTree(root: string): Tree {
  const tree: Tree = new Map();
  const firstNames = new Map<bigint, string>();
  const xattrs = readXattrs(root);
  walk(root, (reach, path) => {
    const stat = fs.lstatSync(reach, { bigint: true });
    const type = typeOf(stat);
    const isFirst = !firstNames.has(stat.ino);
    if (isFirst) firstNames.set(stat.ino, path);
    const isDevice = type === 'block' || type === 'character';
    tree.set(path, {
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: type === 'file' ? stat.size : 0n,
      mtimeNs: stat.mtimeNs,
      rdev: isDevice ? stat.rdev : 0n,
      target: type === 'symlink' ? fs.readlinkSync(reach, 'latin1') : '',
      firstName: firstNames.get(stat.ino) ?? path,
      xattrs: xattrs.get(path) ?? {},
      chunks: type === 'file' && isFirst ? hashChunks(reach) : [],
    });
  });
  return tree;
}

function hashChunks(reach: Buffer): string[] {
  const chunks: string[] = [];
  const fd = fs.openSync(reach, 'r');
  try {
    const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const length = fs.readSync(fd, bytes, 0, CHUNK_BYTES, null);
      if (length === 0) return chunks;
      const hash = createHash('sha1').update(bytes.subarray(0, length)).digest('base64url');
      chunks.push(hash);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** The mark that twinfs itself puts on the root: it differs between the nodes by design. */
const OWN_MARK = 'trusted.twinfs';

/** Path → extended attributes as getfattr prints them in hexadecimal. */
function readXattrs(root: string): Map<string, Record<string, string>> {
  const result = spawnSync(
    'getfattr',
    ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--', '.'],
    {
      cwd: root,
      encoding: 'latin1',
      maxBuffer: 1024 * 1024 * 1024,
    },
  );
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`getfattr of ${root}: ${result.stderr}`);
  return parseGetfattr(result.stdout);
}

/** Exported for its test. */
export function parseGetfattr(text: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  let current: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) {
      const path = unescape(line.slice('# file: '.length)).replace(/^\.\/?/, '');
      current = {};
      found.set(path, current);
    } else if (line !== '') {
      const [name = '', value = ''] = line.split('=', 2);
      if (name !== OWN_MARK) current[unescape(name)] = value;
    }
  }
  return found;
}

/** getfattr writes odd bytes of a name as \ooo. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
