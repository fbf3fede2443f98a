import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AckTracker, type AckResult } from '../../../src/core/ack-tracker.js';
import type { Watermarks } from '../../../src/core/types.js';

const marks = (received: number, applied: number, durable: number): Watermarks => ({
  received,
  applied,
  durable,
});
const done = (complete: number[], creditBytes: number): AckResult => ({
  ok: true,
  complete,
  creditBytes,
});

test('each need is answered at its own watermark, bytes are credited when applied', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 11, 'received', 100, 0);
  tracker.sent(2, 12, 'applied', 200, 0);
  tracker.sent(3, 13, 'durable', 300, 0);
  tracker.sent(4, 14, 'none', 400, 0);
  assert.equal(tracker.waiting, 3);
  assert.deepEqual(tracker.acknowledged(marks(4, 0, 0), 1), done([11], 0));
  assert.deepEqual(tracker.acknowledged(marks(4, 3, 0), 2), done([12], 600));
  assert.deepEqual(tracker.acknowledged(marks(4, 3, 2), 3), done([], 0));
  assert.deepEqual(tracker.acknowledged(marks(4, 4, 4), 4), done([13], 400));
  assert.equal(tracker.waiting, 0);
  assert.equal(tracker.pendingBytes, 0);
});

test('token 0 is nobody: never completed, still credited', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 0, 'durable', 50, 0);
  assert.deepEqual(tracker.acknowledged(marks(1, 1, 1), 1), done([], 50));
});

test('seqs leave no gap', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 0, 'none', 1, 0);
  assert.throws(() => tracker.sent(3, 0, 'none', 1, 0), /without gaps/);
  assert.throws(() => tracker.sent(1, 0, 'none', 1, 0), /without gaps/);
});

test('an acknowledgement that breaks the order is a named violation and changes nothing', () => {
  const tracker = new AckTracker();
  for (let seq = 1; seq <= 10; seq += 1) tracker.sent(seq, seq, 'durable', 1, 0);
  tracker.acknowledged(marks(8, 6, 4), 1);
  const code = (told: Watermarks): string => {
    const result = tracker.acknowledged(told, 2);
    assert.equal(result.ok, false);
    return result.ok ? '' : result.code;
  };
  assert.equal(code(marks(7, 6, 4)), 'ack-went-back');
  assert.equal(code(marks(8, 5, 4)), 'ack-went-back');
  assert.equal(code(marks(8, 6, 3)), 'ack-went-back');
  assert.equal(code(marks(8, 6, 7)), 'ack-order');
  assert.equal(code(marks(8, 9, 7)), 'ack-order');
  assert.equal(code(marks(11, 6, 4)), 'ack-beyond-sent');
  assert.equal(code(marks(Number.NaN, 6, 4)), 'ack-not-a-number');
  assert.equal(code(marks(8.5, 6, 4)), 'ack-not-a-number');
  assert.deepEqual(tracker.watermarks, marks(8, 6, 4));
  assert.deepEqual(tracker.acknowledged(marks(8, 6, 5), 3), done([5], 0));
});

test('lag is what the peer has not applied', () => {
  const tracker = new AckTracker();
  assert.deepEqual(tracker.lag(5), { ops: 0, bytes: 0, oldestMs: 0 });
  tracker.sent(1, 0, 'none', 10, 100);
  tracker.sent(2, 0, 'none', 20, 150);
  assert.deepEqual(tracker.lag(180), { ops: 2, bytes: 30, oldestMs: 80 });
  tracker.acknowledged(marks(2, 1, 0), 185);
  assert.deepEqual(tracker.lag(190), { ops: 1, bytes: 20, oldestMs: 40 });
});

test('the longest wait is that of callers, not of ops nobody waits for', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 0, 'none', 1, 0);
  assert.equal(tracker.oldestWaitMs(50), 0);
  tracker.sent(2, 7, 'durable', 1, 20);
  assert.equal(tracker.oldestWaitMs(50), 30);
});

test('losing the peer gives every waiting token once, all bytes, and an empty tracker', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 1, 'received', 10, 0);
  tracker.sent(2, 2, 'durable', 10, 0);
  tracker.sent(3, 3, 'applied', 10, 0);
  tracker.sent(4, 0, 'none', 10, 0);
  tracker.acknowledged(marks(2, 2, 0), 1);
  const lost = tracker.loseAll();
  assert.deepEqual([...lost.tokens].sort(), [2, 3]);
  assert.equal(lost.bytes, 20);
  assert.equal(lost.ops, 2);
  assert.deepEqual(tracker.loseAll(), { tokens: [], bytes: 0, ops: 0 });
  assert.equal(tracker.stalledSince(), null);
  tracker.sent(1, 9, 'received', 10, 5);
  assert.deepEqual(tracker.acknowledged(marks(1, 1, 1), 6), done([9], 10));
});

test('stalled: nothing outstanding is no stall', () => {
  const tracker = new AckTracker();
  assert.equal(tracker.stalledSince(), null);
  tracker.sent(1, 1, 'received', 1, 10);
  tracker.acknowledged(marks(1, 1, 1), 11);
  assert.equal(tracker.stalledSince(), null);
});

test('stalled: a peer that receives and does not apply makes no progress', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 1, 'received', 1, 10);
  tracker.acknowledged(marks(1, 0, 0), 500);
  assert.equal(tracker.stalledSince(), 10);
  tracker.sent(2, 2, 'received', 1, 600);
  tracker.acknowledged(marks(2, 0, 0), 700);
  assert.equal(tracker.stalledSince(), 10);
});

test('stalled: a slow peer that applies on and on is not', () => {
  const tracker = new AckTracker();
  for (let seq = 1; seq <= 5; seq += 1) tracker.sent(seq, seq, 'applied', 1, 0);
  tracker.acknowledged(marks(5, 1, 0), 2000);
  assert.equal(tracker.stalledSince(), 2000);
  tracker.acknowledged(marks(5, 2, 0), 4000);
  assert.equal(tracker.stalledSince(), 4000);
});

test('stalled: a hung disk shows although others are applied meanwhile', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 1, 'durable', 1, 0);
  tracker.acknowledged(marks(1, 1, 0), 5);
  for (let seq = 2; seq <= 9; seq += 1) {
    tracker.sent(seq, seq, 'applied', 1, seq * 100);
    tracker.transported(seq * 100);
    tracker.acknowledged(marks(seq, seq, 0), seq * 100 + 1);
  }
  assert.equal(tracker.stalledSince(), 5);
  tracker.acknowledged(marks(9, 9, 1), 1000);
  assert.equal(tracker.stalledSince(), null);
});

test('stalled: bytes that still go out are progress for what is not applied', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 1, 'durable', 4e6, 0);
  tracker.transported(2500);
  assert.equal(tracker.stalledSince(), 2500);
  tracker.acknowledged(marks(1, 1, 0), 4000);
  assert.equal(tracker.stalledSince(), 4000);
});

test('a new op after a quiet time starts its own clock', () => {
  const tracker = new AckTracker();
  tracker.sent(1, 1, 'durable', 1, 0);
  tracker.acknowledged(marks(1, 1, 1), 1);
  tracker.sent(2, 2, 'durable', 1, 90_000);
  assert.equal(tracker.stalledSince(), 90_000);
});
