import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answerRule,
  isReached,
  receivedToAcknowledge,
  waitsFor,
} from '../../../src/core/ack-policy.js';
import { MODES } from '../../../src/core/types.js';
import { RECEIPT_FREE_MARGIN_BYTES } from '../../../src/limits.js';

const CLASSES = ['data', 'sync', 'name', 'quiet', 'barrier'] as const;

test('what each mode waits for is exactly this table', () => {
  const table = MODES.map((mode) => CLASSES.map((c) => waitsFor(mode, c, false)).join(' '));
  assert.deepEqual(table, [
    'durable durable applied none durable',
    'received received received none durable',
    'none none none none durable',
  ]);
});

test('sync_metadata makes names wait for the disk in sync, and changes nothing else', () => {
  for (const mode of MODES) {
    for (const c of CLASSES) {
      const expected = mode === 'sync' && c === 'name' ? 'durable' : waitsFor(mode, c, false);
      assert.equal(waitsFor(mode, c, true), expected, `${mode} ${c}`);
    }
  }
});

test('an op is reached exactly from its own seq on', () => {
  const marks = { received: 9, applied: 6, durable: 3 };
  for (const [need, last] of [
    ['received', 9],
    ['applied', 6],
    ['durable', 3],
  ] as const) {
    assert.equal(isReached(need, last, marks), true);
    assert.equal(isReached(need, last + 1, marks), false);
  }
  assert.equal(isReached('none', 1000, marks), true);
});

test('callers are answered by the stream only while Established in a mode that waits', () => {
  for (const mode of MODES) {
    for (const replication of ['Off', 'SyncSource', 'SyncTarget', 'Established'] as const) {
      const rule = answerRule(mode, replication);
      const waits = mode !== 'async' && replication === 'Established';
      assert.equal(rule.by, waits ? 'stream' : 'local', `${mode} ${replication}`);
      assert.equal(rule.syncData, mode === 'sync');
    }
  }
});

test('a receipt is a promise only while the disk has room for what is queued', () => {
  const queued = 1000;
  const enough = queued + RECEIPT_FREE_MARGIN_BYTES + 1;
  assert.equal(receivedToAcknowledge(20, 5, queued, enough), 20);
  assert.equal(receivedToAcknowledge(20, 5, queued, enough - 1), 5);
  assert.equal(receivedToAcknowledge(20, 5, queued, null), 5);
});
