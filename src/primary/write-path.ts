/**
 * ③ The write path of one connection: a change the engine has applied gets its seq, goes to the
 * peer, and its caller is answered when the mode's watermark has passed it. `changes` and
 * `acknowledged` are the whole story; "may I answer yet?" is core/ack-policy.ts, the bookkeeping is
 * core/ack-tracker.ts.
 */
import { waitsFor } from '../core/ack-policy.js';
import { AckTracker } from '../core/ack-tracker.js';
import type { Mode, Seq } from '../core/types.js';
import type { Change, Engine } from '../engine/engine.js';
import type { Link } from '../io/link.js';
import type { Clock } from '../io/ports.js';
import { opClass, type BarrierOp, type Op } from '../op/op.js';
import { batches } from '../wire/batches.js';
import type { AckMessage } from '../wire/messages.js';

export interface WriteRule {
  readonly mode: Mode;
  readonly syncMetadata: boolean;
}

interface BarrierWaiter {
  readonly passed: () => void;
  readonly lost: (error: Error) => void;
}

export class WritePath {
  readonly #engine: Pick<Engine, 'complete' | 'credit'>;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #tracker = new AckTracker();
  /** Barriers wait in the tracker like callers do, under negative tokens. */
  readonly #barriers = new Map<number, BarrierWaiter>();
  #nextBarrier = -1;
  #rule: WriteRule;
  #nextSeq: Seq = 1;

  constructor(
    engine: Pick<Engine, 'complete' | 'credit'>,
    link: Link,
    rule: WriteRule,
    clock: Clock,
  ) {
    this.#engine = engine;
    this.#link = link;
    this.#rule = rule;
    this.#clock = clock;
  }

  /** Sequence, note who waits for what, send. Changes come in stream order. */
  changes(batch: readonly Change[]): void {
    const now = this.#clock.monotonicMs();
    const firstSeq = this.#nextSeq;
    const ops: Op[] = [];
    const answered: number[] = [];
    for (const { op, token, bytes } of batch) {
      const need = waitsFor(this.#rule.mode, opClass(op.kind), this.#rule.syncMetadata);
      if (token !== 0 && need === 'none') answered.push(token);
      this.#tracker.sent(this.#nextSeq, need === 'none' ? 0 : token, need, bytes, now);
      this.#nextSeq += 1;
      ops.push(op);
    }
    for (const part of batches(firstSeq, ops)) this.#link.send(part);
    if (answered.length > 0) this.#engine.complete(answered, 0);
  }

  /** The peer's watermarks rose. Returns the text of a protocol violation, else null. */
  acknowledged(ack: AckMessage): string | null {
    const result = this.#tracker.acknowledged(ack, this.#clock.monotonicMs());
    if (!result.ok) return result.text;
    if (result.complete.length > 0) this.#engine.complete(this.#passBarriers(result.complete), 0);
    if (result.creditBytes > 0) this.#engine.credit(result.creditBytes);
    return null;
  }

  /**
   * Sends a barrier; resolves when everything before it is durable on the peer, rejects when the
   * link goes.
   */
  barrier(why: BarrierOp['why']): Promise<void> {
    const token = this.#nextBarrier;
    this.#nextBarrier -= 1;
    const op: BarrierOp = { kind: 'barrier', why, mode: this.#rule.mode };
    return new Promise((passed, lost) => {
      this.#barriers.set(token, { passed, lost });
      this.changes([{ op, token, bytes: 0 }]);
    });
  }

  /** From here on callers wait by `rule`; the barrier tells the peer from which seq. */
  setRule(rule: WriteRule): Promise<void> {
    this.#rule = rule;
    return this.barrier('mode');
  }

  /**
   * The link is gone: everybody who still waits, and the budget held. The write path is dead
   * afterwards.
   */
  lose(): { readonly tokens: number[]; readonly bytes: number; readonly ops: number } {
    const lost = this.#tracker.loseAll();
    for (const waiter of this.#barriers.values()) waiter.lost(new Error('the link was lost'));
    this.#barriers.clear();
    return { ...lost, tokens: lost.tokens.filter((token) => token > 0) };
  }

  get tracker(): AckTracker {
    return this.#tracker;
  }

  /** Resolves the barriers among `tokens`; the others are the engine's. */
  #passBarriers(tokens: readonly number[]): readonly number[] {
    if (this.#barriers.size === 0) return tokens;
    for (const token of tokens) {
      if (token > 0) continue;
      this.#barriers.get(token)?.passed();
      this.#barriers.delete(token);
    }
    return tokens.filter((token) => token > 0);
  }
}
