/**
 * What a resync needs from the outside: a way to send, the marks of the engine, and the caller's
 * hands on the gate, the stream and the node's records.
 */
import type { Engine } from '../engine/engine.js';
import type { TwinfsError } from '../errors.js';
import type { Link } from '../io/link.js';
import type { Clock, Timers } from '../io/ports.js';
import type { SyncTree } from '../io/tree.js';
import type { SyncStatus } from '../control/messages.js';
import type { SyncEnd } from '../wire/messages.js';

export type SyncLink = Pick<Link, 'send'>;

/** The engine in `track`: what changed, and where it is now. */
export type MarkFeed = Pick<Engine, 'takeMarks' | 'addMark' | 'pathOf'>;

export interface SourceCallbacks {
  /** Closes the gate; resolves when no change is under way and every mark is there (`quiesce`). */
  freeze(): Promise<void>;
  /**
   * Opens the gate again: the last pass did not complete. Also called when the resync fails
   * meanwhile.
   */
  thaw(): void;
  /**
   * Both trees are equal and the gate is closed: turns the stream on and opens the gate. Gives what
   * the SyncEnd says; it is sent at once, before any op that passes the gate later.
   */
  switchOn(): Promise<Omit<SyncEnd, 'type'>> | Omit<SyncEnd, 'type'>;
  /** Slows the writers so that the resync converges: 0 not at all, each level harder. */
  throttle(level: number): void;
  /** Something went on; for events and logs. At most every SYNC_PROGRESS_INTERVAL_MS. */
  progress?(status: SyncStatus): void;
}

export interface SourceOptions {
  readonly tree: SyncTree;
  readonly link: SyncLink;
  readonly marks: MarkFeed;
  readonly callbacks: SourceCallbacks;
  readonly clock: Clock;
  readonly timers: Timers;
}

export interface SyncResult {
  readonly passes: number;
  readonly filesCompared: number;
  readonly bytesCompared: number;
  /** File data that travelled. */
  readonly bytesSent: number;
  /** Milliseconds the writers were held, in all. */
  readonly frozenMs: number;
  readonly durationMs: number;
}

export interface TargetHooks {
  /** Makes the copy durable (syncfs) and stores the ids; SyncStored is sent when it resolves. */
  end(message: SyncEnd): Promise<void>;
  /**
   * The source broke the protocol, or `end` failed: close the link. Nothing more is done with the
   * tree.
   */
  failed(error: TwinfsError): void;
}

export interface TargetOptions {
  readonly tree: SyncTree;
  readonly link: SyncLink;
  readonly hooks: TargetHooks;
  readonly clock: Clock;
  readonly timers: Timers;
}
