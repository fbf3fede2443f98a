/**
 * The outbox's bookkeeping on the primary: which ops the peer has not confirmed, who waits for
 * them, how far behind the peer is, and since when nothing has moved. One tracker serves one
 * connection's stream at a time; `loseAll` ends it. O(1) amortised per op, no allocation per op
 * (rings of numbers). Pure.
 *
 * Bounds: the caller charges every op at least its record (engine `Change.bytes`) and stops taking
 * new ones at `queue_bytes`, which bounds the number of ops too; OUTBOX_OPS_MAX catches a caller
 * that does not.
 */
import { assert } from '../assert.js';
import { OUTBOX_OPS_MAX } from '../limits.js';
import type { Need } from './ack-policy.js';
import { NumberRing } from './ring.js';
import type { Instant, Seq, Watermarks } from './types.js';

/**
 * `ok` false: the peer broke the protocol and nothing was changed; close the link with this code
 * and text. Else `complete` are the tokens whose callers may be answered now, each exactly once,
 * oldest first within one need, and `creditBytes` the bytes of ops that are applied by now and
 * leave the outbox.
 */
export type AckResult =
  | { readonly ok: true; readonly complete: readonly number[]; readonly creditBytes: number }
  | { readonly ok: false; readonly code: AckViolation; readonly text: string };
export type AckViolation = 'ack-went-back' | 'ack-order' | 'ack-beyond-sent' | 'ack-not-a-number';

export interface Lost {
  /** Every token that still waited, oldest first within one need. */
  readonly tokens: number[];
  /** Bytes and number of ops the peer is not known to have applied. */
  readonly bytes: number;
  readonly ops: number;
}

/** What the peer is not known to have applied. */
export interface Lag {
  readonly ops: number;
  readonly bytes: number;
  /** Age of the oldest of them, 0 when there is none. */
  readonly oldestMs: number;
}

/** Callers that wait for one watermark, in order of seq. */
interface Waiters {
  readonly seqs: NumberRing;
  readonly tokens: NumberRing;
  /** When the op was sent. */
  readonly times: NumberRing;
  /** When this watermark last rose. */
  roseAt: Instant;
}

type AckFailure = Extract<AckResult, { ok: false }>;
type Level = Exclude<Need, 'none'>;

const emptyWaiters = (): Waiters => ({
  seqs: new NumberRing(),
  tokens: new NumberRing(),
  times: new NumberRing(),
  roseAt: -Infinity,
});

export class AckTracker {
  #sent: Seq = 0;
  #marks: Watermarks = { received: 0, applied: 0, durable: 0 };
  /** One element per op in (applied, sent]: bytes and the time of sending. */
  readonly #bytes = new NumberRing();
  readonly #times = new NumberRing();
  #pendingBytes = 0;
  /** When the socket last took bytes, and when the oldest `durable` waiter's op was applied. */
  #movedAt: Instant = -Infinity;
  #headAppliedAt: Instant = -Infinity;
  readonly #waiters: Readonly<Record<Level, Waiters>> = {
    received: emptyWaiters(),
    applied: emptyWaiters(),
    durable: emptyWaiters(),
  };

  get sentSeq(): Seq {
    return this.#sent;
  }

  get watermarks(): Watermarks {
    return this.#marks;
  }

  /** Bytes sent and not yet known to be applied. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Callers that wait for the peer. */
  get waiting(): number {
    const { received, applied, durable } = this.#waiters;
    return received.seqs.length + applied.seqs.length + durable.seqs.length;
  }

  /**
   * Notes an op given to the link. `seq` is the next one (the first of a stream has 1); `token`
   * identifies its caller (any number but 0, which says nobody waits; use negative ones for waiters
   * that are not the engine's); with need 'none' the caller is not waited for here. `bytes` is what
   * is credited later.
   */
  sent(seq: Seq, token: number, need: Need, bytes: number, now: Instant): void {
    assert(seq === this.#sent + 1, 'ops are sent in order, without gaps');
    assert(this.#bytes.length < OUTBOX_OPS_MAX, 'the outbox is bounded by its bytes');
    this.#sent = seq;
    this.#bytes.push(bytes);
    this.#times.push(now);
    this.#pendingBytes += bytes;
    if (need === 'none' || token === 0) return;
    const waiters = this.#waiters[need];
    waiters.seqs.push(seq);
    waiters.tokens.push(token);
    waiters.times.push(now);
  }

  /** Takes the peer's watermarks. They only rise, and durable ≤ applied ≤ received ≤ sent. */
  acknowledged(marks: Watermarks, now: Instant): AckResult {
    const violation = this.#check(marks);
    if (violation !== null) return violation;
    const before = this.#marks;
    this.#marks = { received: marks.received, applied: marks.applied, durable: marks.durable };
    const complete: number[] = [];
    for (const level of ['received', 'applied', 'durable'] as const) {
      if (marks[level] > before[level]) this.#raise(level, marks[level], now, complete);
    }
    const { seqs } = this.#waiters.durable;
    if (seqs.length > 0 && seqs.at(0) > before.applied && seqs.at(0) <= marks.applied) {
      this.#headAppliedAt = now;
    }
    let creditBytes = 0;
    for (let seq = before.applied; seq < marks.applied; seq += 1) {
      creditBytes += this.#bytes.shift();
      this.#times.shift();
    }
    this.#pendingBytes -= creditBytes;
    return { ok: true, complete, creditBytes };
  }

  /** How far behind the peer is. */
  lag(now: Instant): Lag {
    const ops = this.#bytes.length;
    const oldestMs = ops === 0 ? 0 : Math.max(0, now - this.#times.at(0));
    return { ops, bytes: this.#pendingBytes, oldestMs };
  }

  /** The socket took bytes: a slow link that moves is progress for what is not applied yet. */
  transported(now: Instant): void {
    this.#movedAt = now;
  }

  /** Age of the op that has waited longest for an answer, 0 when nobody waits. */
  oldestWaitMs(now: Instant): number {
    const { received, applied, durable } = this.#waiters;
    const oldest = Math.min(firstTime(received), firstTime(applied), firstTime(durable));
    return oldest === Infinity ? 0 : Math.max(0, now - oldest);
  }

  /**
   * Since when the oldest op that is not applied, or the oldest whose caller waits for durable, has
   * made no progress; null when there is none. The peer counts as lost when this is `peer_timeout`
   * ago. Progress of an op is what it waits for next: bytes going out and `applied` rising, then
   * `durable` rising. Receipts alone are none, because a peer with a hung disk still receives; nor
   * is applying others for a caller that waits for the disk. A slow peer whose watermarks rise is
   * not lost.
   */
  stalledSince(): Instant | null {
    const { applied, durable } = this.#waiters;
    const towardsApplied = Math.max(applied.roseAt, this.#movedAt);
    const apply = this.#times.length === 0 ? Infinity : Math.max(this.#times.at(0), towardsApplied);
    const headIsApplied = durable.seqs.length > 0 && durable.seqs.at(0) <= this.#marks.applied;
    const disk = Math.max(
      firstTime(durable),
      durable.roseAt,
      headIsApplied ? this.#headAppliedAt : towardsApplied,
    );
    const since = Math.min(apply, disk);
    return since === Infinity ? null : since;
  }

  /**
   * The link is gone: every waiting caller and all bytes, and the tracker is empty for the next
   * stream (which starts at seq 1). Record going alone durably *before* completing these tokens.
   */
  loseAll(): Lost {
    const waiting: number[] = [];
    for (const level of ['received', 'applied', 'durable'] as const) {
      const { tokens } = this.#waiters[level];
      for (let i = 0; i < tokens.length; i += 1) waiting.push(tokens.at(i));
    }
    const lost = { tokens: waiting, bytes: this.#pendingBytes, ops: this.#bytes.length };
    this.#reset();
    return lost;
  }

  #raise(level: Level, mark: Seq, now: Instant, complete: number[]): void {
    const { seqs, tokens, times } = this.#waiters[level];
    this.#waiters[level].roseAt = now;
    while (seqs.length > 0 && seqs.at(0) <= mark) {
      seqs.shift();
      times.shift();
      complete.push(tokens.shift());
    }
  }

  #check(marks: Watermarks): AckFailure | null {
    const { received, applied, durable } = marks;
    const told = `received ${received}, applied ${applied}, durable ${durable}`;
    const fail = (code: AckViolation, what: string): AckFailure => ({
      ok: false,
      code,
      text: `the peer's acknowledgement (${told}) ${what}`,
    });
    if (![received, applied, durable].every((mark) => Number.isSafeInteger(mark) && mark >= 0)) {
      return fail('ack-not-a-number', 'is not made of sequence numbers');
    }
    const was = this.#marks;
    if (received < was.received || applied < was.applied || durable < was.durable) {
      const before = `${was.received}, ${was.applied}, ${was.durable}`;
      return fail('ack-went-back', `is behind an earlier one (${before})`);
    }
    if (durable > applied || applied > received) {
      return fail('ack-order', 'breaks durable ≤ applied ≤ received');
    }
    if (received > this.#sent) {
      return fail('ack-beyond-sent', `names ops beyond the last one sent (${this.#sent})`);
    }
    return null;
  }

  #reset(): void {
    this.#sent = 0;
    this.#marks = { received: 0, applied: 0, durable: 0 };
    this.#bytes.clear();
    this.#times.clear();
    this.#pendingBytes = 0;
    this.#movedAt = -Infinity;
    this.#headAppliedAt = -Infinity;
    for (const waiters of Object.values(this.#waiters)) {
      waiters.seqs.clear();
      waiters.tokens.clear();
      waiters.times.clear();
      waiters.roseAt = -Infinity;
    }
  }
}

const firstTime = (waiters: Waiters): Instant =>
  waiters.times.length === 0 ? Infinity : waiters.times.at(0);
