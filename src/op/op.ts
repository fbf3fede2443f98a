/**
 * The Op union: the only vocabulary for changes, on both nodes. An op names inodes by NodeRef,
 * never by path: a number the primary gives per connection, bound in the stream by `bind` (or by
 * the op that creates the inode) before first use and released by `forget`. Renames and hard links
 * then need no path arithmetic.
 *
 * Names are raw bytes (any but NUL and '/'). Sizes and offsets are bytes, safe integers. Times are
 * nanoseconds since the epoch as bigint. Modes are `st_mode` as in inode(7).
 */
import type { OpClass } from '../core/types.js';

/**
 * Number of an inode on the primary, per connection; ROOT_REF is the protected directory itself.
 */
export type NodeRef = number;
export const ROOT_REF: NodeRef = 1;

/** Gives `ref` to the existing entry `name` in `parent`. */
export interface BindOp {
  readonly kind: 'bind';
  readonly ref: NodeRef;
  readonly parent: NodeRef;
  readonly name: Buffer;
}

/** Releases `ref`; the number may be given again later. */
export interface ForgetOp {
  readonly kind: 'forget';
  readonly ref: NodeRef;
}

export interface WriteOp {
  readonly kind: 'write';
  readonly ref: NodeRef;
  readonly offset: number;
  readonly data: Buffer;
  /** Clear suid/sgid (and file capabilities) as a write by an unprivileged caller does. */
  readonly killPriv: boolean;
}

export interface TruncateOp {
  readonly kind: 'truncate';
  readonly ref: NodeRef;
  readonly size: number;
  readonly killPriv: boolean;
}

/** fallocate(2) with its mode bits. */
export interface FallocateOp {
  readonly kind: 'fallocate';
  readonly ref: NodeRef;
  readonly mode: number;
  readonly offset: number;
  readonly length: number;
}

/** copy_file_range(2): both sides hold the same source bytes at this place of the stream. */
export interface CopyRangeOp {
  readonly kind: 'copyRange';
  readonly from: NodeRef;
  readonly fromOffset: number;
  readonly ref: NodeRef;
  readonly offset: number;
  readonly length: number;
}

/**
 * Makes a regular file, directory, symlink, fifo, socket or device (by the type bits of `mode`) and
 * binds `ref` to it. `mode`, `uid`, `gid` are the primary's *result* (umask, setgid directory and
 * default ACL already applied): the secondary makes exactly that.
 */
export interface CreateOp {
  readonly kind: 'create';
  readonly ref: NodeRef;
  readonly parent: NodeRef;
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Target of a symlink, else empty. */
  readonly target: Buffer;
}

/** Adds the name `name` in `parent` to `ref`. */
export interface LinkOp {
  readonly kind: 'link';
  readonly ref: NodeRef;
  readonly parent: NodeRef;
  readonly name: Buffer;
}

/** Removes a name; `directory` says rmdir. */
export interface UnlinkOp {
  readonly kind: 'unlink';
  readonly parent: NodeRef;
  readonly name: Buffer;
  readonly directory: boolean;
}

/** renameat2(2) with its flags. */
export interface RenameOp {
  readonly kind: 'rename';
  readonly parent: NodeRef;
  readonly name: Buffer;
  readonly newParent: NodeRef;
  readonly newName: Buffer;
  readonly flags: number;
}

/**
 * Sets owner and mode to the primary's result. Both are always carried, so that order cannot
 * matter.
 */
export interface SetAttrOp {
  readonly kind: 'setattr';
  readonly ref: NodeRef;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Sets times to the primary's result; `atime` only when an application set it explicitly. */
export interface TimesOp {
  readonly kind: 'times';
  readonly ref: NodeRef;
  readonly mtime: bigint;
  readonly atime: bigint | null;
}

export interface SetXattrOp {
  readonly kind: 'setxattr';
  readonly ref: NodeRef;
  readonly name: Buffer;
  readonly value: Buffer;
  /** XATTR_CREATE / XATTR_REPLACE of setxattr(2). */
  readonly flags: number;
}

export interface RemoveXattrOp {
  readonly kind: 'removexattr';
  readonly ref: NodeRef;
  readonly name: Buffer;
}

/**
 * The application's fsync (`dataOnly`: fdatasync) of a file or directory, performed in stream
 * order.
 */
export interface FsyncOp {
  readonly kind: 'fsync';
  readonly ref: NodeRef;
  readonly dataOnly: boolean;
}

/**
 * A place in the stream with a meaning. `syncEnd`: everything before it completes a resync; the
 * target makes itself durable and stores `generation`. `flush`: everything before it becomes
 * durable. `mode`: from here on the primary waits by `mode`. `stop`: the primary leaves on purpose
 * (clean).
 */
export interface BarrierOp {
  readonly kind: 'barrier';
  readonly why: 'syncEnd' | 'flush' | 'mode' | 'stop';
  readonly mode: 'sync' | 'semi-sync' | 'async';
}

export type Op =
  | BindOp
  | ForgetOp
  | WriteOp
  | TruncateOp
  | FallocateOp
  | CopyRangeOp
  | CreateOp
  | LinkOp
  | UnlinkOp
  | RenameOp
  | SetAttrOp
  | TimesOp
  | SetXattrOp
  | RemoveXattrOp
  | FsyncOp
  | BarrierOp;

export type OpKind = Op['kind'];

export type { OpClass } from '../core/types.js';

const CLASS: Record<OpKind, OpClass> = {
  bind: 'quiet',
  forget: 'quiet',
  times: 'quiet',
  write: 'data',
  truncate: 'data',
  fallocate: 'data',
  copyRange: 'data',
  create: 'name',
  link: 'name',
  unlink: 'name',
  rename: 'name',
  setattr: 'name',
  setxattr: 'name',
  removexattr: 'name',
  fsync: 'sync',
  barrier: 'barrier',
};

export const opClass = (kind: OpKind): OpClass => CLASS[kind];
