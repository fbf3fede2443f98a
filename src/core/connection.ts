/**
 * The connection to the peer as a state machine: StandAlone → Connecting → Handshake → Connected,
 * on the side that dials (the primary) and on the one that listens. `step(event, now)` gives
 * effects, to be carried out in their order; `now` never goes back. Pure.
 *
 * Every connection has a number, given by the machine (`dial`, `take`); what a stale one says is
 * ignored. The shell sends a `tick` every CONNECTION_TICK_MS while there is a connection.
 */
import { assertNever } from '../assert.js';
import { HANDSHAKE_TIMEOUT_MS, LATE_TICK_MS, PING_INTERVAL_MS } from '../limits.js';
import { Backoff } from './backoff.js';
import type { Instant, LinkState } from './types.js';

export type ConnectionState = 'StandAlone' | 'Connecting' | 'Handshake' | 'Connected';

export interface Reason {
  readonly code: string;
  /** One sentence for the operator. */
  readonly text: string;
}

/** `random` is in [0, 1): the jitter of the next attempt. */
export type ConnectionEvent =
  /** The daemon starts (dialling side: dials; listening side: waits). */
  | { readonly type: 'start' }
  /** `twinfs connect`: try now, whatever stood against it. */
  | { readonly type: 'operator-connect' }
  /** `twinfs disconnect`, a promotion, the end of the daemon. */
  | { readonly type: 'operator-disconnect'; readonly reason: Reason }
  /** The timer of `retry` ran out. */
  | { readonly type: 'retry-due' }
  /** The dial succeeded. */
  | { readonly type: 'dialled'; readonly connection: number }
  | {
      readonly type: 'dial-failed';
      readonly connection: number;
      readonly reason: Reason;
      readonly random: number;
    }
  /** Listening side: somebody connected. The machine answers `take` or `turn-away`. */
  | { readonly type: 'accepted' }
  /** Both Hellos are there and the decision was made (or came): not a refusal. */
  | { readonly type: 'decided'; readonly connection: number }
  /**
   * This node refuses the peer (`by: here`: the shell has sent Refuse), or the peer sent Refuse.
   */
  | {
      readonly type: 'refused';
      readonly connection: number;
      readonly by: 'here' | 'peer';
      readonly reason: Reason;
      readonly random: number;
    }
  /** The connection ended, or must (a protocol violation: then the shell has closed it). */
  | {
      readonly type: 'closed';
      readonly connection: number;
      readonly reason: Reason;
      readonly random: number;
    }
  /**
   * `heardAt`: when bytes last came (Link.heardAt). `stalledSince`: AckTracker's, on the side that
   * has one.
   */
  | {
      readonly type: 'tick';
      readonly heardAt: Instant;
      readonly stalledSince: Instant | null;
      readonly random: number;
    };

export type ConnectionEffect =
  /** Dial the peer; report `dialled` or `dial-failed` with this number. */
  | { readonly do: 'dial'; readonly connection: number }
  /** The connection just accepted is the one from here on. */
  | { readonly do: 'take'; readonly connection: number }
  /** Send Refuse with this reason on the connection just accepted, and close it. */
  | { readonly do: 'turn-away'; readonly reason: Reason }
  | { readonly do: 'send-hello'; readonly connection: number }
  | { readonly do: 'send-ping'; readonly number: number }
  /** The handshake is done: begin the resync. */
  | { readonly do: 'connected'; readonly connection: number }
  /**
   * A connection that was `connected` is gone. Comes before `close`: record going alone, release
   * whoever waits, become Consistent.
   */
  | { readonly do: 'lost'; readonly reason: Reason }
  /** Close at once. The `closed` event that follows is stale by then. */
  | { readonly do: 'close'; readonly connection: number; readonly reason: Reason }
  /** Set the one retry timer (replaces an earlier one). */
  | { readonly do: 'retry'; readonly afterMs: number }
  | { readonly do: 'cancel-retry' }
  /** No further attempt is made until the operator says so. */
  | { readonly do: 'stand-alone'; readonly reason: Reason };

/**
 * Refusals that may pass by themselves: the peer is not ready, its disk refuses, a frame was
 * damaged, its other version is about to be replaced. Every other one is about the data and needs
 * the operator: dialling again would only repeat it.
 */
export const TRANSIENT_REFUSALS: readonly string[] = [
  'busy',
  'starting',
  'stopping',
  'stand-alone',
  'peer-lost',
  'target-failed',
  'bad-magic',
  'bad-checksum',
  'frame-too-long',
  'unknown-type',
  'bad-message',
  'wrong-version',
  'unknown-features',
];

export class Connection {
  readonly #side: 'dial' | 'listen';
  readonly #peerTimeoutMs: number;
  readonly #backoff = new Backoff();
  #state: ConnectionState = 'StandAlone';
  #reason: Reason | null = null;
  /** Number of the connection in force; 0: none. */
  #connection = 0;
  #lastConnection = 0;
  /** When the state was entered. */
  #since: Instant = 0;
  #heardAt: Instant = 0;
  #tickedAt: Instant = 0;
  /**
   * Nothing is judged before this: the node itself stood still, and what came meanwhile is still
   * unread.
   */
  #graceUntil: Instant = 0;
  #pingedAt: Instant = 0;
  #pings = 0;

  constructor(side: 'dial' | 'listen', peerTimeoutMs: number) {
    this.#side = side;
    this.#peerTimeoutMs = peerTimeoutMs;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The operator's word for the state: a handshake is still Connecting. */
  get link(): LinkState {
    return this.#state === 'Handshake' ? 'Connecting' : this.#state;
  }

  /** Why it is not Connected; null while it is, or before anything happened. */
  get reason(): Reason | null {
    return this.#reason;
  }

  step(event: ConnectionEvent, now: Instant): ConnectionEffect[] {
    switch (event.type) {
      case 'start':
        return this.#state === 'StandAlone' ? this.#begin(now) : [];
      case 'operator-connect':
        this.#backoff.reset();
        if (this.#state === 'Handshake' || this.#state === 'Connected') return [];
        return this.#connection === 0 ? [{ do: 'cancel-retry' }, ...this.#begin(now)] : [];
      case 'operator-disconnect':
        return this.#standAlone(event.reason, now);
      case 'retry-due':
        return this.#state === 'Connecting' && this.#connection === 0 ? this.#begin(now) : [];
      case 'accepted':
        return this.#accepted(now);
      case 'tick':
        return this.#tick(event, now);
      default:
        return event.connection === this.#connection ? this.#onConnection(event, now) : [];
    }
  }

  #onConnection(
    event: Extract<ConnectionEvent, { connection: number }>,
    now: Instant,
  ): ConnectionEffect[] {
    switch (event.type) {
      case 'dialled':
        return this.#handshake(now, { do: 'send-hello', connection: this.#connection });
      case 'dial-failed':
        this.#backoff.dialFailed();
        return this.#again(event.reason, event.random, now);
      case 'decided':
        if (this.#state !== 'Handshake') return [];
        this.#backoff.connected();
        this.#enter('Connected', now);
        this.#reason = null;
        return [{ do: 'connected', connection: this.#connection }];
      case 'refused': {
        if (this.#side === 'dial' && !TRANSIENT_REFUSALS.includes(event.reason.code)) {
          return this.#standAlone(event.reason, now);
        }
        return this.#drop(event.reason, event.random, now);
      }
      case 'closed':
        return this.#drop(event.reason, event.random, now);
      default:
        return assertNever(event);
    }
  }

  /** Dials or, on the listening side, waits. */
  #begin(now: Instant): ConnectionEffect[] {
    this.#enter('Connecting', now);
    if (this.#side === 'listen') return [];
    this.#lastConnection += 1;
    this.#connection = this.#lastConnection;
    return [{ do: 'dial', connection: this.#connection }];
  }

  /** One peer at a time; a connection that has gone silent makes room for its successor. */
  #accepted(now: Instant): ConnectionEffect[] {
    if (this.#state === 'StandAlone') {
      const text = `this node stands alone: ${this.#reason?.text ?? 'it was told to'}`;
      return [{ do: 'turn-away', reason: { code: 'stand-alone', text } }];
    }
    const effects: ConnectionEffect[] = [];
    if (this.#connection !== 0) {
      const isSilent = now - this.#heardAt > 2 * PING_INTERVAL_MS;
      if (!isSilent) {
        const text = 'the peer is connected already; is another node using its address?';
        return [{ do: 'turn-away', reason: { code: 'busy', text } }];
      }
      const reason = { code: 'superseded', text: 'the peer connected anew' };
      effects.push(...this.#end(reason, now));
    }
    this.#lastConnection += 1;
    this.#connection = this.#lastConnection;
    return [...effects, ...this.#handshake(now, { do: 'take', connection: this.#connection })];
  }

  #handshake(now: Instant, effect: ConnectionEffect): ConnectionEffect[] {
    this.#enter('Handshake', now);
    this.#heardAt = now;
    this.#tickedAt = now;
    return [effect];
  }

  #tick(event: Extract<ConnectionEvent, { type: 'tick' }>, now: Instant): ConnectionEffect[] {
    if (this.#state !== 'Handshake' && this.#state !== 'Connected') return [];
    this.#heardAt = Math.max(this.#heardAt, event.heardAt);
    if (now - this.#tickedAt > LATE_TICK_MS) this.#graceUntil = now + PING_INTERVAL_MS;
    this.#tickedAt = now;
    const judged = now >= this.#graceUntil;
    if (this.#state === 'Handshake') {
      if (!judged || now - this.#since < HANDSHAKE_TIMEOUT_MS) return [];
      const text = `the peer did not finish the handshake within ${HANDSHAKE_TIMEOUT_MS} ms`;
      return this.#drop({ code: 'handshake-timeout', text }, event.random, now);
    }
    const reason = judged ? this.#whyLost(event.stalledSince, now) : null;
    if (reason !== null) return this.#drop(reason, event.random, now);
    if (now - this.#pingedAt < PING_INTERVAL_MS) return [];
    this.#pingedAt = now;
    this.#pings += 1;
    return [{ do: 'send-ping', number: this.#pings }];
  }

  /**
   * Silence, or the oldest unanswered change without progress although the peer talks (its disk
   * hangs).
   */
  #whyLost(stalledSince: Instant | null, now: Instant): Reason | null {
    const limit = this.#peerTimeoutMs;
    if (now - this.#heardAt >= limit) {
      return { code: 'peer-silent', text: `nothing was heard from the peer for ${limit} ms` };
    }
    if (stalledSince !== null && now - stalledSince >= limit) {
      const text = `the peer answers but its oldest change has made no progress for ${limit} ms (is its disk stuck?)`;
      return { code: 'peer-stalled', text };
    }
    return null;
  }

  /** Ends the connection in force and tries again later. */
  #drop(reason: Reason, random: number, now: Instant): ConnectionEffect[] {
    if (this.#state !== 'Connected') this.#backoff.dialFailed();
    return [...this.#end(reason, now), ...this.#again(reason, random, now)];
  }

  /** `lost` where it was connected, then `close`. */
  #end(reason: Reason, now: Instant): ConnectionEffect[] {
    const effects: ConnectionEffect[] = [];
    if (this.#state === 'Connected') {
      this.#backoff.linkEnded(now - this.#since);
      effects.push({ do: 'lost', reason });
    }
    if (this.#connection !== 0) {
      effects.push({ do: 'close', connection: this.#connection, reason });
    }
    this.#connection = 0;
    return effects;
  }

  #again(reason: Reason, random: number, now: Instant): ConnectionEffect[] {
    this.#connection = 0;
    this.#reason = reason;
    this.#enter('Connecting', now);
    if (this.#side === 'listen') return [];
    return [{ do: 'retry', afterMs: this.#backoff.delayMs(random) }];
  }

  #standAlone(reason: Reason, now: Instant): ConnectionEffect[] {
    const effects: ConnectionEffect[] = [{ do: 'cancel-retry' }, ...this.#end(reason, now)];
    this.#reason = reason;
    this.#enter('StandAlone', now);
    return [...effects, { do: 'stand-alone', reason }];
  }

  #enter(state: ConnectionState, now: Instant): void {
    this.#state = state;
    this.#since = now;
    this.#pingedAt = now;
  }
}
