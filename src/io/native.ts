/**
 * Loads the C++ addon and declares everything it exports, by hand, in this one place. `null` means
 * "none", never `undefined`: a property that reads `undefined` is a typo between the two languages.
 * Arguments are trusted by the native side (asserted there): check them here or before.
 *
 * Calls that fail throw an Error with `code` ("ENOENT"), `errno` (positive) and `syscall`, unless
 * they are documented to return an errno (0 is success). Functions returning a promise run off the
 * event loop.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { assert } from '../assert.js';
import { TwinfsError } from '../errors.js';
import { unpackTreeEntries } from './tree-entries.js';

/**
 * What lstat, readlink and listxattr say of one directory entry. `mtime` in ns, `mode` with type
 * bits.
 */
export interface TreeEntry {
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** 512-byte blocks allocated. */
  readonly blocks: number;
  readonly mtime: bigint;
  readonly rdev: number;
  readonly nlink: number;
  readonly ino: bigint;
  /** Symlink target, else empty. */
  readonly target: Buffer;
  /** Sorted by name; the twinfs mark on the root is left out. */
  readonly xattrs: readonly { readonly name: Buffer; readonly value: Buffer }[];
}

export interface TreeMeta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly xattrs: readonly { readonly name: Buffer; readonly value: Buffer }[];
}

export interface SpaceInfo {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly availableBytes: number;
  readonly freeFiles: number;
}

/**
 * The applying side of the stream (secondary). Every method but the promises applies at once on the
 * calling thread and returns an errno. Refs are resolved by file handle; nothing leaves the tree
 * below `rootFd`. An op on a ref that is not bound is ESTALE; an inode without a name takes ops
 * until it is forgotten.
 */
export interface NativeApplier {
  /** Forgets every ref but the root: a new connection. */
  reset(): void;
  /** A ref that is bound already is bound anew. */
  bind(ref: number, parent: number, name: Buffer): number;
  /** 0 also for a ref that is not bound. */
  forget(ref: number): number;
  write(ref: number, offset: number, data: Buffer, killPriv: boolean): number;
  truncate(ref: number, size: number, killPriv: boolean): number;
  fallocate(ref: number, mode: number, offset: number, length: number): number;
  /** Exactly `length` bytes; EIO when the source is shorter. */
  copyRange(from: number, fromOffset: number, ref: number, offset: number, length: number): number;
  create(
    ref: number,
    parent: number,
    name: Buffer,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
    target: Buffer,
  ): number;
  link(ref: number, parent: number, name: Buffer): number;
  unlink(parent: number, name: Buffer, directory: boolean): number;
  rename(parent: number, name: Buffer, newParent: number, newName: Buffer, flags: number): number;
  setattr(ref: number, mode: number, uid: number, gid: number): number;
  /** `atime` null leaves it alone. */
  times(ref: number, mtime: bigint, atime: bigint | null): number;
  setxattr(ref: number, name: Buffer, value: Buffer, flags: number): number;
  /** 0 also when it is absent already. The twinfs mark on the root is out of reach of both. */
  removexattr(ref: number, name: Buffer): number;
  /** fsync or fdatasync of one node; resolves to an errno. */
  fsync(ref: number, dataOnly: boolean): Promise<number>;
  /**
   * Group commit: every node with data written and every directory with names changed before this
   * call is on disk when it resolves to 0. An errno means the copy cannot be trusted any more.
   */
  commit(): Promise<number>;
  counters(): { readonly refs: number; readonly descriptors: number; readonly unsynced: number };
  close(): void;
}

/**
 * The FUSE session (primary): mounts, answers, applies, hands changes over. `wake` is called on the
 * event loop whenever `drain` has something; several wake-ups may be one call.
 */
export interface NativeSession {
  /** Resolves when the kernel's INIT is answered. */
  mount(): Promise<void>;
  unmount(lazy: boolean): Promise<void>;
  setGate(open: boolean): void;
  /**
   * While on, every change is refused with EROFS before it is applied, those waiting at the gate
   * included.
   */
  setReadOnly(on: boolean): void;
  quiesce(): Promise<void>;
  /** 0 off, 1 track, 2 on. */
  setStream(state: number): void;
  setAnswer(byStream: boolean, syncData: boolean): void;
  /**
   * The pending records (layout below), or null; `large` are the payloads of records flagged LARGE.
   */
  drain(): { readonly records: Buffer; readonly large: readonly Buffer[] } | null;
  complete(tokens: readonly number[], errno: number): void;
  credit(bytes: number): void;
  /** Flat pairs: ref, bits (1 data, 2 attributes, 4 entries). */
  takeMarks(): Float64Array;
  addMark(ref: number, bits: number): void;
  pathOf(ref: number): Buffer | null;
  flushTimes(): void;
  setPeerSpace(freeBytes: number, availableBytes: number, freeFiles: number): void;
  clearPeerSpace(): void;
  counters(): {
    readonly requests: number;
    readonly changes: number;
    readonly inodes: number;
    readonly descriptors: number;
    readonly handoffBytes: number;
    readonly pendingAnswers: number;
  };
}

export interface NativeSessionOptions {
  readonly sourceFd: number;
  readonly mountpoint: Buffer;
  readonly fsname: string;
  readonly workers: number;
  readonly handoffBytesMax: number;
  readonly writebackCache: boolean;
  /** Milliseconds after which a changed inode's times are handed over. */
  readonly timesDelayMs: number;
}

export interface NativeAddon {
  readonly Session: new (
    options: NativeSessionOptions,
    wake: () => void,
    /**
     * `gate`: a change waits. `sync-failed`: local fsync failed with `errno`. `ended`: 0 umount,
     * else errno.
     */
    notice: (what: 'gate' | 'sync-failed' | 'ended', errno: number) => void,
  ) => NativeSession;
  readonly Applier: new (rootFd: number) => NativeApplier;

  /** open(2) with O_CLOEXEC; the path may be any bytes. */
  open(path: Buffer, flags: number, mode: number): number;
  close(fd: number): void;
  /**
   * openat2(2) with RESOLVE_BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV; '' is the root itself.
   * Here and below: paths of any length; ELOOP for a symlink on the way, EXDEV at a mount point,
   * EINVAL for '.', '..' and empty components.
   */
  openBeneath(rootFd: number, path: Buffer, flags: number, mode: number): number;
  /** Entries of a directory below the root, '.' and '..' left out, sorted by name bytes. */
  readDir(rootFd: number, path: Buffer): Promise<TreeEntry[]>;
  /** The same, packed, for directories of any size: take them out with `treeEntries`. */
  listDir(rootFd: number, path: Buffer): Promise<Buffer>;
  /** One entry, '' is the root itself (its name is empty then). */
  statBeneath(rootFd: number, path: Buffer): TreeEntry;
  /**
   * Regular file (O_EXCL), directory, symlink, fifo, socket or device, by the type bits of `mode`;
   * permissions as far as the umask lets them (setMetaBeneath makes them exact).
   */
  makeBeneath(rootFd: number, path: Buffer, mode: number, rdev: number, target: Buffer): void;
  linkBeneath(rootFd: number, from: Buffer, to: Buffer): void;
  /** Removes a name and, for a directory, all below it. ENOENT is success. */
  removeBeneath(rootFd: number, path: Buffer): Promise<void>;
  /** Sets owner, mode, exactly these xattrs, then mtime. Symlinks: owner, xattrs and mtime only. */
  setMetaBeneath(rootFd: number, path: Buffer, meta: TreeMeta): void;
  /** fallocate PUNCH_HOLE|KEEP_SIZE; where unsupported writes zeros. */
  punchHole(fd: number, offset: number, length: number): void;

  syncfs(fd: number): Promise<void>;
  space(fd: number): SpaceInfo;
  /**
   * getxattr/setxattr on an open descriptor (through /proc/self/fd for O_PATH ones); null when
   * absent.
   */
  getXattr(fd: number, name: string): Buffer | null;
  setXattr(fd: number, name: string, value: Buffer): void;

  /** Bind-mounts `path` over itself, read-only and noexec. */
  bindReadOnly(path: Buffer): Promise<void>;
  /** umount2(2); `lazy` is MNT_DETACH. */
  unmount(path: Buffer, lazy: boolean): Promise<void>;
  /** "major:minor inode" of a descriptor, for "is this the same directory?". */
  identity(fd: number): string;
}

/*
 * Record layout of `drain`, little endian, each record padded to 8 bytes:
 *
 *   0 u32 size     whole record, padding included     32 f64 a        offset | size | from offset
 *   4 u8  kind     KIND below                         40 f64 b        length | to offset
 *   5 u8  flags    1 LARGE (payload in `large`)       48 u32 c        mode | fallocate mode
 *                  2 killPriv, 4 directory,           52 u32 d        uid
 *                  8 dataOnly, 16 atime present       56 u32 e        gid
 *   6 u16 name bytes                                  60 u32 f        rdev | rename or xattr flags
 *   8 f64 token                                       64 i64 g        mtime ns
 *  16 f64 ref                                         72 i64 h        atime ns | copy length (as i64)
 *  24 f64 parent | from ref                           80 f64 parent2  new parent
 *                                                     88 u32 name2 bytes
 *                                                     92 u32 data bytes (payload, target or xattr value)
 *  96 name, name2, data (absent when LARGE)
 */
export const RECORD_HEADER_BYTES = 96;

const addonPath = '../../../native-bindings/build/Release/twinfs.node';
/** Works in a clone and in an installed package alike, from any directory. */
const buildScript = fileURLToPath(new URL('../../../native-bindings/build.mjs', import.meta.url));

let loaded: NativeAddon | null = null;

/** The addon, loaded on first use. */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded;
}

/** As the C++ exports it: directory entries come packed, see tree-entries.ts. */
interface PackedAddon extends Omit<NativeAddon, 'readDir' | 'listDir' | 'statBeneath'> {
  readonly readDir: (rootFd: number, path: Buffer) => Promise<Buffer>;
  readonly statBeneath: (rootFd: number, path: Buffer) => Buffer;
}

function first(entries: TreeEntry[]): TreeEntry {
  const entry = entries[0];
  assert(entry !== undefined, 'a stat has one entry');
  return entry;
}

function load(): NativeAddon {
  try {
    const addon = createRequire(import.meta.url)(addonPath) as PackedAddon;
    return {
      ...addon,
      listDir: (rootFd, path) => addon.readDir(rootFd, path),
      readDir: async (rootFd, path) => unpackTreeEntries(await addon.readDir(rootFd, path)),
      statBeneath: (rootFd, path) => first(unpackTreeEntries(addon.statBeneath(rootFd, path))),
    };
  } catch (cause) {
    throw new TwinfsError(
      'addon-missing',
      'noFuse',
      `the native addon is not built for this machine; build it with "node ${buildScript}" (needs g++, make and python3), or use --engine fuse-native for your own files`,
      cause,
    );
  }
}
