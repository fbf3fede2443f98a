/**
 * Loads the `fuse-native` package and declares the little of it that we use, by hand (it has no
 * types). This is the one place that knows its oddities:
 *  - it needs libfuse.so.2 at load time; where the system has none, the copy in its prebuilds
 *    folder is used;
 *  - mount options it has no setting for are passed behind the file system name (they end in one
 *    list);
 *  - `utimens` hands the atime over twice, so the mtime is read from the request record
 *    (`readModifyTime`);
 *  - `getxattr` and `listxattr` ignore the size of the caller's buffer, so both are answered here.
 */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { constants as osConstants, endianness } from 'node:os';
import { dirname, join } from 'node:path';
import { TwinfsError, errorText } from '../errors.js';

/** 0 or a positive result, else the negative errno; `value` where the operation has one. */
export type FuseReply<T = number> = (result: number, value?: T) => void;

export interface FuseStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly dev: number;
  readonly nlink: number;
  readonly ino: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly blocks: number;
  /** Milliseconds since the epoch. */
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

export interface FuseSpace {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly favail: number;
  readonly namemax: number;
}

/** Paths start with '/'. `fd` is the number given back by `open` or `create`. */
export interface FuseOperations {
  getattr(path: string, reply: FuseReply<FuseStat>): void;
  readdir(path: string, reply: FuseReply<string[]>): void;
  readlink(path: string, reply: FuseReply<string>): void;
  statfs(path: string, reply: FuseReply<FuseSpace>): void;
  open(path: string, flags: number, reply: FuseReply<number>): void;
  create(path: string, mode: number, reply: FuseReply<number>): void;
  read(
    path: string,
    fd: number,
    into: Buffer,
    length: number,
    offset: number,
    reply: FuseReply,
  ): void;
  /** `data` is the kernel's memory, valid until the reply only. */
  write(
    path: string,
    fd: number,
    data: Buffer,
    length: number,
    offset: number,
    reply: FuseReply,
  ): void;
  release(path: string, fd: number, reply: FuseReply): void;
  truncate(path: string, size: number, reply: FuseReply): void;
  ftruncate(path: string, fd: number, size: number, reply: FuseReply): void;
  fsync(path: string, dataOnly: number, fd: number, reply: FuseReply): void;
  fsyncdir(path: string, dataOnly: number, fd: number, reply: FuseReply): void;
  mknod(path: string, mode: number, rdev: number, reply: FuseReply): void;
  mkdir(path: string, mode: number, reply: FuseReply): void;
  rmdir(path: string, reply: FuseReply): void;
  unlink(path: string, reply: FuseReply): void;
  rename(from: string, to: string, reply: FuseReply): void;
  link(from: string, to: string, reply: FuseReply): void;
  symlink(target: string, path: string, reply: FuseReply): void;
  chmod(path: string, mode: number, reply: FuseReply): void;
  chown(path: string, uid: number, gid: number, reply: FuseReply): void;
  /** Milliseconds since the epoch; the mtime is the atime (see the head of this file). */
  utimens(path: string, atimeMs: number, mtimeMs: number, reply: FuseReply): void;
  setxattr(
    path: string,
    name: string,
    value: Buffer,
    position: number,
    flags: number,
    reply: FuseReply,
  ): void;
  /** Only to have them registered: the answers come from ExtraOperations. */
  getxattr(): void;
  listxattr(): void;
  removexattr(path: string, name: string, reply: FuseReply): void;
}

/** What the package gets wrong and we answer ourselves. */
export interface ExtraOperations {
  getxattr(path: string, name: string): Buffer;
  /** The names, each ended by NUL. */
  listxattr(path: string): Buffer;
  /** The real mtime (ms) of the `utimens` that follows at once. */
  modifyTime(mtimeMs: number): void;
}

type Signal = (errno: number, buffer: ArrayBufferLike) => void;

interface FuseInstance {
  mount(done: (error: Error | null) => void): void;
  _handlers: ((handler: Buffer, opcode: number, ...args: unknown[]) => unknown)[];
  _op_getxattr(signal: Signal, path: string, name: string, into: Buffer): void;
  _op_listxattr(signal: Signal, path: string, into: Buffer): void;
}

type FuseConstructor = new (
  mountpoint: string,
  operations: FuseOperations,
  options: Record<string, unknown>,
) => FuseInstance;

const ERANGE = 34;
/**
 * Number of `utimens` among the package's handlers, and where its request record keeps both times.
 */
const UTIMENS_HANDLER = 12;
const RECORD_ATIME_OFFSET = 104;
const RECORD_MTIME_OFFSET = 112;
/**
 * dlopen(3); node's list has all but this one. The library must stay when node finds no addon in
 * it.
 */
const RTLD_NODELETE = 0x1000;

const requireHere = createRequire(import.meta.url);
let loaded: FuseConstructor | null = null;

function load(): FuseConstructor {
  try {
    return requireHere('fuse-native') as FuseConstructor;
  } catch (cause) {
    if (!errorText(cause).includes('libfuse')) throw missing(cause);
    loadOwnLibfuse(cause);
  }
  try {
    return requireHere('fuse-native') as FuseConstructor;
  } catch (cause) {
    throw missing(cause);
  }
}

/** Loads the package's own copy, whose name (SONAME) then satisfies the addon. */
function loadOwnLibfuse(why: unknown): void {
  const folder = join(dirname(requireHere.resolve('fuse-native/package.json')), 'prebuilds');
  const file = join(folder, `${process.platform}-${process.arch}`, 'libfuse.so');
  if (!existsSync(file)) throw missing(why);
  const { RTLD_NOW, RTLD_GLOBAL } = osConstants.dlopen;
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // Expected: the library is loaded, and it is not a node addon.
  }
}

function missing(cause: unknown): TwinfsError {
  return new TwinfsError(
    'libfuse-missing',
    'noFuse',
    `the portable engine cannot load libfuse 2 (${errorText(cause)}); install it (Debian: "apt install libfuse2"), or build the main engine with "npm run build:native" and leave --engine out`,
    cause,
  );
}

/** The library, loaded on first use; throws "libfuse-missing". */
export function loadLibrary(): void {
  loaded ??= load();
}

/** Mounts and resolves when the kernel's INIT is answered. `options` are further mount options. */
export async function mountLibrary(
  mountpoint: string,
  fsname: string,
  options: readonly string[],
  operations: FuseOperations,
  extra: ExtraOperations,
): Promise<void> {
  loadLibrary();
  const constructor = loaded as FuseConstructor;
  const fuse = new constructor(mountpoint, operations, {
    // A reply that is late is still the true one: the time limit is the mirror's, not the
    // library's.
    timeout: false,
    fsname: [fsname.replace(/[,\\\s]/g, '_'), ...options].join(','),
  });
  answerExtra(fuse, extra);
  await new Promise<void>((resolve, reject) => {
    fuse.mount((error) => (error === null ? resolve() : reject(error)));
  });
}

function answerExtra(fuse: FuseInstance, extra: ExtraOperations): void {
  fuse._op_getxattr = (signal, path, name, into) =>
    fill(signal, into, () => extra.getxattr(path, name));
  fuse._op_listxattr = (signal, path, into) => fill(signal, into, () => extra.listxattr(path));
  const utimens = fuse._handlers[UTIMENS_HANDLER];
  if (utimens === undefined) return;
  fuse._handlers[UTIMENS_HANDLER] = (handler, opcode, ...args) => {
    const atimeMs = Number(args[1]) + Number(args[2]) * 2 ** 32;
    extra.modifyTime(readModifyTime(handler, atimeMs));
    return utimens(handler, opcode, ...args);
  };
}

function fill(signal: Signal, into: Buffer, get: () => Buffer): void {
  let result: number;
  try {
    const value = get();
    if (into.length === 0) result = value.length;
    else if (value.length > into.length) result = -ERANGE;
    else result = value.copy(into);
  } catch (error) {
    result = -errnoOf(error);
  }
  signal(result, into.buffer);
}

/**
 * The mtime beside the atime in the request record, if the record is laid out as in 2.2.6 on 64
 * bits.
 */
function readModifyTime(record: Buffer, atimeMs: number): number {
  if (endianness() !== 'LE' || record.length < RECORD_MTIME_OFFSET + 8) return atimeMs;
  if (Number(record.readBigUInt64LE(RECORD_ATIME_OFFSET)) !== atimeMs) return atimeMs;
  return Number(record.readBigUInt64LE(RECORD_MTIME_OFFSET));
}

/** Positive errno of anything thrown by a system call, else EIO. */
export function errnoOf(error: unknown): number {
  const errno = (error as { errno?: unknown } | null)?.errno;
  return typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : osConstants.errno.EIO;
}

/** An error that answers the caller with `errno`. */
export class ErrnoError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
