/**
 * The engine: kernel → request → locally applied change → `Change` records in order, and answers
 * back. Two of them stand behind this interface: `native.ts` (our C++ addon, the main one) and
 * `fuse-native.ts` (portable, for one's own files).
 *
 * Contract, the same for both:
 *  - A change is applied locally *before* it appears here; one that failed locally never appears.
 *    Changes that conflict (same inode range, same names) appear in the order in which they were
 *    applied.
 *  - A `Change` with `token !== 0` has a caller in the kernel waiting for `complete([token],
 *    errno)`.
 *  - Nothing here may be called with a path below the mount, and nothing blocks the event loop.
 */
import type { NodeRef, Op } from '../op/op.js';

/**
 * What happens to changes: `off` nobody is told (alone); `track` the inodes they touch are
 * remembered as marks, for a resync that runs; `on` they are handed over as ops for the stream.
 * Going to `on` starts a new binding epoch: every ref is bound again before its next use.
 */
export type StreamState = 'off' | 'track' | 'on';

/**
 * Who answers a change's caller: `local` the engine itself as soon as it is applied (and, for
 * fsync, locally durable); `stream` whoever calls `complete`. With `syncData` a data op's caller
 * also waits for the local fdatasync, in group commit, side by side with the peer's.
 */
export interface AnswerRule {
  readonly by: 'local' | 'stream';
  readonly syncData: boolean;
}

export interface Change {
  readonly op: Op;
  /** Hand-over budget this change holds until it is given back by `credit`. */
  readonly bytes: number;
  /** 0: nobody waits. */
  readonly token: number;
}

/**
 * An inode that changed while `track` was on. `entries`: names in this directory changed. `data` of
 * a directory: everything below it is to be compared. A mark is put after its change is applied,
 * never before: one taken in between would be lost. Beside the obvious a resync needs, because its
 * target knows names, not inodes:
 *  - rename: `entries` of both parents and `data` of what got another name (with RENAME_EXCHANGE of
 *    both);
 *  - link: `entries` of the new parent and of the parents of the names it had, so that all become
 *    one inode;
 *  - unlink, and a rename over something: `data` and `attributes` of what lost a name and keeps
 *    another, as what was to be brought under the lost name has to come under the other. When the
 *    engine knows no other name (nobody looked it up), `data` of the root: everything is compared.
 */
export interface Mark {
  readonly ref: NodeRef;
  readonly data: boolean;
  readonly attributes: boolean;
  readonly entries: boolean;
}

export interface EngineEvents {
  /** Ordered changes, at least one. Called on the event loop; must not throw. */
  changes(batch: Change[]): void;
  /** A change waits at the closed gate (said once per closing, when the first one arrives). */
  waitingAtGate(): void;
  /** A local fsync failed: this node's copy cannot be trusted any more. The callers got EIO. */
  localSyncFailed(errno: number): void;
  /** The kernel ended the session: `unmounted` by anyone's umount, or `aborted`. */
  ended(reason: 'unmounted' | 'aborted'): void;
}

export interface MountOptions {
  /**
   * The directory that holds the data, opened (O_PATH or O_RDONLY) before anything is mounted over
   * it.
   */
  readonly sourceFd: number;
  readonly mountpoint: Buffer;
  /** Shown in the first column of /proc/mounts. */
  readonly fsname: string;
  readonly workers: number;
  /** Bytes of changes handed over and not yet credited at which workers wait. */
  readonly handoffBytesMax: number;
  readonly writebackCache: boolean;
}

export interface EngineCounters {
  readonly requests: number;
  readonly changes: number;
  readonly inodes: number;
  readonly descriptors: number;
  readonly handoffBytes: number;
  readonly pendingAnswers: number;
}

export interface Engine {
  readonly name: 'native' | 'fuse-native';
  /** Mounts and starts answering. The gate starts closed, the stream `off`, answers `local`. */
  mount(options: MountOptions, events: EngineEvents): Promise<void>;
  /** umount(2) off the event loop; `lazy` is MNT_DETACH. Rejects with code EBUSY when in use. */
  unmount(lazy: boolean): Promise<void>;
  /** Opens or closes the gate that every change passes before it is applied. */
  setGate(open: boolean): void;
  /**
   * The role fence: while on, every change is refused with EROFS before it is applied (waiters at
   * the gate too).
   */
  setReadOnly(on: boolean): void;
  /**
   * Resolves when no change is between the gate and its hand-over (or its mark). Use with a closed
   * gate.
   */
  quiesce(): Promise<void>;
  setStream(state: StreamState): void;
  setAnswer(rule: AnswerRule): void;
  /**
   * Answers the callers; errno 0 is success with the result already known, else the positive errno.
   */
  complete(tokens: readonly number[], errno: number): void;
  /** Gives back `bytes` of hand-over budget (an op left the outbox). */
  credit(bytes: number): void;
  /** The marks gathered since the last call, and clears them. */
  takeMarks(): Mark[];
  /** Puts a mark back (its file was not there, say). */
  addMark(mark: Mark): void;
  /** Path relative to the root (no leading slash, '' is the root), or null for a nameless inode. */
  pathOf(ref: NodeRef): Buffer | null;
  /** Hands over the pending `times` ops now instead of within TIMES_DELAY_MS. */
  flushTimes(): void;
  /** Makes the local copy durable (syncfs), off the event loop. */
  syncLocal(): Promise<void>;
  /** Shown as free space: the smaller of local and this; null when no peer is connected. */
  setPeerSpace(
    space: { freeBytes: number; availableBytes: number; freeFiles: number } | null,
  ): void;
  counters(): EngineCounters;
}
