/**
 * The messages of the wire as the rest of the program sees them: plain, validated, with ids as hex
 * strings, times as bigint nanoseconds and bytes as Buffers. `codec.ts` turns them into frames and
 * back; the field comments are in `twinfs.proto`.
 */
import type { DataState, Id, Mode, Role, Seq } from '../core/types.js';
import type { Op } from '../op/op.js';

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly features: bigint;
  readonly mirror: Id;
  readonly node: Id;
  readonly bootId: string;
  readonly instance: Id;
  readonly role: Role;
  readonly data: DataState;
  readonly current: Id;
  readonly base: Id;
  readonly history: readonly Id[];
  readonly wentAlone: boolean;
  readonly empty: boolean;
  readonly mode: Mode;
  readonly clockMs: number;
  readonly software: string;
  readonly overwritePeer: boolean;
  readonly discardMine: boolean;
  readonly clean: boolean;
}

export interface Refuse {
  readonly type: 'refuse';
  readonly code: string;
  readonly text: string;
}

export interface DecisionMessage {
  readonly type: 'decision';
  readonly kind: 'full-resync';
  readonly rule: string;
  readonly mirror: Id;
}

/** ops[i] has seq firstSeq + i; at least one op. */
export interface OpsMessage {
  readonly type: 'ops';
  readonly firstSeq: Seq;
  readonly ops: readonly Op[];
}

export interface AckMessage {
  readonly type: 'ack';
  readonly received: Seq;
  readonly applied: Seq;
  readonly durable: Seq;
  /** The first op that could not be applied; nothing after it was. */
  readonly failed: { readonly seq: Seq; readonly errno: number; readonly text: string } | null;
  readonly space: {
    readonly freeBytes: number;
    readonly availableBytes: number;
    readonly freeFiles: number;
  } | null;
}

export interface Ping {
  readonly type: 'ping';
  readonly number: number;
}
export interface Pong {
  readonly type: 'pong';
  readonly number: number;
}

export interface Xattr {
  readonly name: Buffer;
  readonly value: Buffer;
}
export interface Meta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: bigint;
  readonly rdev: number;
  readonly target: Buffer;
  readonly xattrs: readonly Xattr[];
  readonly linkGroup: bigint;
}
export interface Problem {
  readonly errno: number;
  readonly text: string;
  /** The path is not there (renamed or removed meanwhile): the source marks and tries again. */
  readonly missing: boolean;
}
export interface DirList {
  readonly type: 'dirList';
  readonly id: number;
  readonly path: Buffer;
  readonly self: Meta;
  readonly entries: readonly { readonly name: Buffer; readonly meta: Meta }[];
  readonly last: boolean;
}
/** Answers one part of a DirList; after a problem no further part is answered. */
export interface DirResult {
  readonly type: 'dirResult';
  readonly id: number;
  /** Directories and regular files made now (empty). */
  readonly fresh: readonly Buffer[];
  /** Regular files whose size or mtime is not the listed one: their content may differ. */
  readonly stale: readonly Buffer[];
  /** Names that are one inode with a name listed before in this resync. */
  readonly linked: readonly Buffer[];
  readonly removed: number;
  readonly problem: Problem | null;
}
export interface FileOpen {
  readonly type: 'fileOpen';
  readonly id: number;
  readonly path: Buffer;
  readonly meta: Meta;
  /** 0: attributes only, of an entry of any type; a FileClose follows. */
  readonly blockSize: number;
  /**
   * The target empties its file and hashes nothing; everything but zeros follows, then FileClose.
   */
  readonly whole: boolean;
  /**
   * Of a small file: the source's hashes. A target that has the same closes the file and answers
   * FileDone.
   */
  readonly hashes: Buffer;
}
export interface FileHashes {
  readonly type: 'fileHashes';
  readonly id: number;
  readonly firstBlock: number;
  readonly hashes: Buffer;
  readonly last: boolean;
  readonly size: number;
  readonly problem: Problem | null;
}
export interface FileData {
  readonly type: 'fileData';
  readonly id: number;
  readonly offset: number;
  /** A run of zero bytes of this length instead of `data`. */
  readonly zeros: number;
  readonly data: Buffer;
}
export interface FileClose {
  readonly type: 'fileClose';
  readonly id: number;
  readonly meta: Meta;
}
export interface FileDone {
  readonly type: 'fileDone';
  readonly id: number;
  readonly problem: Problem | null;
}
/**
 * Target → source: so many bytes of FileData are written, and the window has room for them again.
 */
export interface SyncCredit {
  readonly type: 'syncCredit';
  readonly bytes: number;
}
export interface SyncProgress {
  readonly type: 'syncProgress';
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesSent: number;
  readonly pass: number;
  readonly rate: number;
}
export interface SyncEnd {
  readonly type: 'syncEnd';
  readonly current: Id;
  readonly base: Id;
  readonly history: readonly Id[];
  readonly mode: Mode;
}
export interface SyncStored {
  readonly type: 'syncStored';
}

/**
 * Resync requests and answers, handed to resync/target.ts (secondary) or resync/source.ts
 * (primary).
 */
export type ResyncToTarget = DirList | FileOpen | FileData | FileClose | SyncProgress | SyncEnd;
export type ResyncToSource = DirResult | FileHashes | FileDone | SyncCredit | SyncStored;

export type Message =
  | Hello
  | Refuse
  | DecisionMessage
  | OpsMessage
  | AckMessage
  | Ping
  | Pong
  | ResyncToTarget
  | ResyncToSource;
export type MessageType = Message['type'];
