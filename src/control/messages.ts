/**
 * What travels over the control socket (`<state>/control.sock`): JSON lines, one request and one
 * reply per connection. The shapes here are also what `status --json` prints: add fields, never
 * rename them.
 */
import type { ExitName } from '../errors.js';
import type { DataState, Id, LinkState, Mode, ReplicationState, Role, Seq } from '../core/types.js';

export type Request =
  | { readonly command: 'status' }
  | { readonly command: 'mode'; readonly mode: Mode }
  /** Barrier for the whole mount: replies when everything before it reached the mode's point. */
  | { readonly command: 'flush' }
  | { readonly command: 'umount'; readonly lazy: boolean }
  | { readonly command: 'stop' }
  | {
      readonly command: 'promote';
      readonly peer: { host: string; port: number } | null;
      readonly mode: Mode | null;
      readonly force: boolean;
    }
  /**
   * Try the peer again now; `overwritePeer` is the operator's word that this copy is the good one.
   */
  | {
      readonly command: 'connect';
      readonly overwritePeer: boolean;
      /** Another address than before; null: the one known. */
      readonly peer: { host: string; port: number } | null;
    };

export type Reply =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly exit: ExitName;
      readonly message: string;
    };

export interface SyncStatus {
  readonly pass: number;
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesSent: number;
  /** Bytes compared per second, over the last seconds. */
  readonly rate: number;
  readonly secondsLeft: number | null;
}

export interface Status {
  readonly directory: string;
  readonly mountpoint: string | null;
  readonly state: string;
  readonly version: string;
  readonly engine: string | null;
  readonly role: Role;
  readonly data: DataState;
  /** SafeKit's words for people who come from there. */
  readonly service: 'ALONE' | 'PRIM' | 'SECOND' | 'WAIT';
  readonly link: LinkState;
  readonly replication: ReplicationState;
  readonly mode: Mode;
  readonly peer: {
    readonly address: string | null;
    readonly data: DataState | null;
    /** Milliseconds since anything was heard; null: never. */
    readonly silentMs: number | null;
  };
  readonly mirror: Id;
  readonly current: Id;
  readonly base: Id;
  readonly wentAlone: boolean;
  /** Why the link stands as it does, in one sentence, or null when all is well. */
  readonly reason: string | null;
  /** Rule of the last decision (core/generation.ts). */
  readonly rule: string | null;
  readonly watermarks: {
    readonly sent: Seq;
    readonly received: Seq;
    readonly applied: Seq;
    readonly durable: Seq;
  };
  /** What the peer does not have yet: the lag. */
  readonly lag: { readonly ops: number; readonly bytes: number; readonly oldestMs: number };
  readonly sync: SyncStatus | null;
  readonly pids: readonly number[];
  readonly startedAt: string;
}
