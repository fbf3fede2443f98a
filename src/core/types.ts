/** Names of states, DRBD's words, the same in code, logs, CLI and docs. */
export type Role = 'Primary' | 'Secondary';
export type DataState = 'UpToDate' | 'Consistent' | 'Outdated' | 'Inconsistent';
export type LinkState = 'StandAlone' | 'Connecting' | 'Connected';
export type ReplicationState = 'Off' | 'Established' | 'SyncSource' | 'SyncTarget';
export type Mode = 'sync' | 'semi-sync' | 'async';
export const MODES: readonly Mode[] = ['sync', 'semi-sync', 'async'];

/** Position in the primary's ordered stream; the first op has 1. */
export type Seq = number;

/** durable ≤ applied ≤ received. `durable = S`: all data ops up to S are on disk, names included. */
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
