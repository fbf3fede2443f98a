/** Names of states, DRBD's words, the same in code, logs, CLI and docs. */
export type Role = 'Primary' | 'Secondary';
export type DataState = 'UpToDate' | 'Consistent' | 'Outdated' | 'Inconsistent';
export type LinkState = 'StandAlone' | 'Connecting' | 'Connected';
export type ReplicationState = 'Off' | 'Established' | 'SyncSource' | 'SyncTarget';
export type Mode = 'sync' | 'semi-sync' | 'async';
export const MODES: readonly Mode[] = ['sync', 'semi-sync', 'async'];

/** Position in the primary's ordered stream; the first op has 1. */
export type Seq = number;

/**
 * durable ≤ applied ≤ received. `durable = S`: all data ops up to S are on disk, names included.
 */
export interface Watermarks {
  readonly received: Seq;
  readonly applied: Seq;
  readonly durable: Seq;
}

/** Random 64-bit id as 16 lower-case hex digits; NO_ID where there is none yet. */
export type Id = string;
export const NO_ID: Id = '0000000000000000';

/** Milliseconds of a monotonic clock. */
export type Instant = number;

/**
 * What an op is to the acknowledgement rule: `data` changes content, `sync` is an application's
 * fsync, `name` changes the namespace or attributes, `quiet` is bookkeeping nobody waits for,
 * `barrier` is waited for as durable. (`op/op.ts` gives the class of each op.)
 */
export type OpClass = 'data' | 'sync' | 'name' | 'quiet' | 'barrier';

/**
 * Who a node is in the comparison of generations: a subset of Hello, so that a Hello is one.
 *
 * `current` is the generation of the copy; NO_ID while it is none (never synchronised, or a resync
 * that has not ended). `base` is the last generation that both nodes (may) have: `base === current`
 * says "shared", and a shared generation never gets a change of its own (core/record.ts goAlone).
 * For an unfinished target `base` is the generation it was being made into. `history`: older ones,
 * newest first.
 */
export interface Identity {
  readonly mirror: Id;
  readonly node: Id;
  readonly bootId: string;
  readonly role: Role;
  readonly data: DataState;
  readonly current: Id;
  readonly base: Id;
  readonly history: readonly Id[];
  readonly wentAlone: boolean;
  readonly empty: boolean;
  readonly mode: Mode;
  readonly overwritePeer: boolean;
  readonly discardMine: boolean;
  readonly clean: boolean;
}

/** The durable record of one node, `<state>/node.json`. Its transitions are in core/record.ts. */
export interface NodeRecord {
  readonly mirror: Id;
  readonly node: Id;
  readonly role: Role;
  readonly data: DataState;
  /** The ids: see Identity. */
  readonly current: Id;
  readonly base: Id;
  readonly history: readonly Id[];
  /** Changes were (or may have been) answered that the peer does not have. */
  readonly wentAlone: boolean;
  /** The last mode, which decides what an unclean stop means. */
  readonly mode: Mode;
  /** False while a daemon runs: an unclean stop leaves it false. */
  readonly clean: boolean;
  readonly bootId: string;
  /** Protected directory, for messages. */
  readonly directory: string;
}

/** Value of the xattr `trusted.twinfs` on DIR's root. */
export interface RootMark {
  readonly mirror: Id;
  readonly current: Id;
  readonly node: Id;
  /** The generation about to be recorded (io/root-mark.ts `advance`), else NO_ID. */
  readonly next: Id;
}
