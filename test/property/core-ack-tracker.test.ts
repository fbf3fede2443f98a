/** The tracker against a model that keeps every op in a list and looks at all of them each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isReached, type Need } from '../../src/core/ack-policy.js';
import { AckTracker } from '../../src/core/ack-tracker.js';
import type { Watermarks } from '../../src/core/types.js';

interface Sent {
  readonly seq: number;
  readonly token: number;
  readonly need: Need;
  readonly bytes: number;
  readonly at: number;
  answered: boolean;
}

type Step =
  | { readonly do: 'send'; readonly need: Need; readonly token: boolean; readonly bytes: number }
  | { readonly do: 'ack'; readonly shares: readonly number[] }
  | { readonly do: 'lose' };

const needs = fc.constantFrom<Need>('none', 'received', 'applied', 'durable');
const share = fc.integer({ min: 0, max: 4 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        need: needs,
        token: fc.boolean(),
        bytes: fc.integer({ min: 0, max: 5000 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('ack' as const),
        shares: fc.tuple(share, share, share),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  ),
  { maxLength: 120 },
);

class Model {
  ops: Sent[] = [];
  marks: Watermarks = { received: 0, applied: 0, durable: 0 };

  waiting(): Sent[] {
    return this.ops.filter((op) => op.token !== 0 && op.need !== 'none' && !op.answered);
  }

  unapplied(): Sent[] {
    return this.ops.filter((op) => op.seq > this.marks.applied);
  }

  /** Each mark goes on by its share of what is between it and the one above. */
  next(shares: readonly number[]): Watermarks {
    const up = (mark: number, limit: number, part = 0): number =>
      mark + Math.floor(((limit - mark) * part) / 4);
    const received = up(this.marks.received, this.ops.length, shares[0]);
    const applied = up(this.marks.applied, received, shares[1]);
    return { received, applied, durable: up(this.marks.durable, applied, shares[2]) };
  }
}

const sum = (ops: readonly Sent[]): number => ops.reduce((total, op) => total + op.bytes, 0);
const sorted = (tokens: readonly number[]): number[] => [...tokens].sort((a, b) => a - b);

function run(plan: readonly Step[]): void {
  const tracker = new AckTracker();
  let model = new Model();
  let token = 0;
  let now = 0;
  for (const step of plan) {
    now += 1;
    if (step.do === 'send') {
      const op: Sent = {
        seq: model.ops.length + 1,
        token: step.token ? (token += 1) : 0,
        need: step.need,
        bytes: step.bytes,
        at: now,
        answered: false,
      };
      model.ops.push(op);
      tracker.sent(op.seq, op.token, op.need, op.bytes, now);
    } else if (step.do === 'ack') {
      const marks = model.next(step.shares);
      const before = model.unapplied();
      model.marks = marks;
      const due = model.waiting().filter((op) => isReached(op.need, op.seq, marks));
      for (const op of due) op.answered = true;
      const result = tracker.acknowledged(marks, now);
      assert.ok(result.ok);
      assert.deepEqual(sorted(result.complete), sorted(due.map((op) => op.token)));
      assert.equal(result.creditBytes, sum(before) - sum(model.unapplied()));
    } else {
      const lost = tracker.loseAll();
      assert.deepEqual(sorted(lost.tokens), sorted(model.waiting().map((op) => op.token)));
      assert.deepEqual([lost.bytes, lost.ops], [sum(model.unapplied()), model.unapplied().length]);
      model = new Model();
    }
    const unapplied = model.unapplied();
    const oldestMs = unapplied[0] === undefined ? 0 : now - unapplied[0].at;
    assert.deepEqual(tracker.lag(now), { ops: unapplied.length, bytes: sum(unapplied), oldestMs });
    assert.equal(tracker.waiting, model.waiting().length);
    const waits = model.waiting().map((op) => now - op.at);
    assert.equal(tracker.oldestWaitMs(now), Math.max(0, ...waits));
    const isStalling = unapplied.length > 0 || model.waiting().some((op) => op.need === 'durable');
    assert.equal(tracker.stalledSince() !== null, isStalling);
  }
}

test('the tracker does what the model does', () => {
  fc.assert(fc.property(steps, run), { numRuns: 500 });
});
