/**
 * The apply loop in each mode: order, acknowledgements, group commit, barriers, failures, bounds.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import {
  ACK_DELAY_MS,
  APPLY_FSYNCS_MAX,
  RECEIPT_FREE_MARGIN_BYTES,
  RECEIVE_QUEUE_BYTES_MAX,
  SPACE_INTERVAL_MS,
} from '../../../src/limits.js';
import { barrier, fsync, Harness, microtasks, mkdir, write } from './harness.js';

const { EIO, ENOENT, ENOSPC } = constants.errno;

test('semi-sync: the receipt goes out before anything is applied', () => {
  const harness = new Harness('semi-sync');
  harness.receive(write(2), write(3));
  assert.deepEqual(harness.applier.calls.slice(1), [], 'nothing inside receive');
  harness.time.turn();
  assert.deepEqual(harness.applier.calls.slice(1), ['ack 2 0 0', 'write 2', 'write 3']);
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), ['2 0 0'], 'nobody waits for applied');
  harness.time.advance(ACK_DELAY_MS);
  assert.deepEqual(harness.takeAcks(), ['2 2 0']);
  assert.equal(harness.applier.syncsRunning, 0);
});

test('messages of one turn share an acknowledgement', () => {
  const harness = new Harness('semi-sync');
  for (let ref = 2; ref < 12; ref++) harness.receive(write(ref));
  harness.time.turn();
  assert.deepEqual(harness.takeAcks(), ['10 0 0']);
  harness.receive(write(2));
  harness.time.turn();
  assert.deepEqual(harness.takeAcks(), ['11 10 0'], 'and the next carries what was applied');
});

test('async: acknowledged late, together', () => {
  const harness = new Harness('async');
  harness.receive(write(2));
  harness.time.settle();
  harness.receive(write(2));
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), []);
  harness.time.advance(ACK_DELAY_MS);
  assert.deepEqual(harness.takeAcks(), ['2 2 0']);
});

test('sync: one commit at a time covers all applied when it starts', async () => {
  const harness = new Harness('sync');
  harness.receive(write(2));
  harness.time.settle();
  harness.receive(write(3), fsync(3));
  harness.time.settle();
  harness.receive(write(4));
  harness.time.settle();
  assert.deepEqual(harness.applier.calls.slice(1), ['write 2', 'commit', 'write 3', 'write 4']);
  await harness.applier.endSyncs();
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), ['4 4 1']);
  assert.equal(harness.applier.calls.filter((call) => call === 'commit').length, 2);
  await harness.applier.endSyncs();
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), ['4 4 4']);
  assert.equal(harness.applier.syncsRunning, 0);
  assert.deepEqual(harness.loop.watermarks, { received: 4, applied: 4, durable: 4 });
});

test('sync: a name is acknowledged as applied at once', async () => {
  const harness = new Harness('sync');
  harness.receive(mkdir(2), write(3));
  harness.time.turn();
  assert.deepEqual(harness.takeAcks(), ['2 2 0']);
  await harness.applier.endSyncs();
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), ['2 2 2']);
});

test('the primary’s fsyncs are performed, a bounded number at once', async () => {
  const harness = new Harness('semi-sync');
  const refs = Array.from({ length: APPLY_FSYNCS_MAX }, (_, index) => 2 + index);
  harness.receive(...refs.map(fsync), write(9));
  harness.time.settle();
  assert.deepEqual(
    harness.applier.calls.filter((call) => !call.startsWith('ack')),
    [...refs.map((ref) => `fsync ${ref}`), 'write 9'],
  );
  harness.receive(fsync(20), fsync(21));
  harness.time.settle();
  assert.equal(harness.applier.calls.at(-1), 'commit', 'one commit instead of more');
  await harness.applier.endSyncs();
  harness.time.settle();
  assert.equal(harness.loop.watermarks.durable, APPLY_FSYNCS_MAX + 3);
  harness.receive(fsync(22));
  harness.time.settle();
  assert.ok(harness.applier.calls.includes('fsync 22'));
});

test('a failed fsync of the primary’s ends it', async () => {
  const harness = new Harness('async');
  harness.receive(fsync(2));
  harness.time.settle();
  await harness.applier.endSyncs(EIO);
  assert.deepEqual(harness.events, [`syncFailed ${EIO}`]);
});

test('a gap in the stream is refused with a code', () => {
  const harness = new Harness('sync');
  harness.receive(write(2));
  const gap = { type: 'ops', firstSeq: 3, ops: [write(2)] } as const;
  assert.throws(() => harness.loop.receive(gap), { code: 'seq-gap', exit: 'protocol' });
  const again = { type: 'ops', firstSeq: 1, ops: [write(2)] } as const;
  assert.throws(() => harness.loop.receive(again), { code: 'seq-gap' });
});

test('an op that fails stops everything after it and names itself', async () => {
  const harness = new Harness('sync');
  harness.receive(write(2));
  harness.time.settle();
  harness.takeAcks();
  harness.applier.errnos['create'] = ENOSPC;
  harness.receive(write(3), mkdir(4), write(5));
  const drained = harness.loop.drain();
  harness.time.settle();
  await assert.rejects(drained, { code: 'apply-failed' });
  const text = 'create "d4" (ref 4 below ref 1): ENOSPC';
  assert.deepEqual(harness.events, [`failed 3 ${ENOSPC} ${text}`]);
  const last = harness.acks.at(-1);
  assert.deepEqual(last?.failed, { seq: 3, errno: ENOSPC, text });
  assert.equal(last?.applied, 2);
  assert.ok(!harness.applier.calls.includes('write 5'));
  harness.receive(write(6));
  await harness.applier.endSyncs();
  harness.time.advance(SPACE_INTERVAL_MS);
  assert.equal(harness.acks.at(-1), last, 'nothing is said any more');
  assert.ok(!harness.applier.calls.includes('write 6'));
  await assert.rejects(harness.loop.drain(), { code: 'apply-failed' });
  assert.equal(harness.time.timerCount, 0);
});

test('a failed commit makes the copy Inconsistent, once', async () => {
  const harness = new Harness('sync');
  harness.receive(write(2), write(3));
  harness.time.settle();
  await harness.applier.endSyncs();
  harness.time.settle();
  harness.receive(write(4));
  harness.time.settle();
  await harness.applier.endSyncs(EIO);
  assert.deepEqual(harness.events, [`syncFailed ${EIO}`]);
  const last = harness.acks.at(-1);
  assert.deepEqual(
    [last?.applied, last?.durable, last?.failed?.seq, last?.failed?.text],
    [3, 2, 3, 'making the copy durable: EIO'],
  );
  await assert.rejects(harness.loop.drain(), { code: 'sync-failed' });
});

test('a barrier is durable before what follows is applied', async () => {
  const harness = new Harness('semi-sync');
  harness.receive(write(2), barrier('flush'), write(3));
  harness.time.settle();
  assert.deepEqual(harness.takeAcks(), ['3 0 0']);
  assert.equal(harness.applier.calls.at(-1), 'commit');
  let release = (): void => undefined;
  harness.passing = new Promise((resolve) => (release = resolve));
  await harness.applier.endSyncs();
  harness.time.settle();
  assert.deepEqual(harness.events, ['barrier flush']);
  assert.deepEqual(harness.takeAcks(), ['3 2 1'], 'not before its hook is done');
  release();
  await microtasks();
  harness.time.settle();
  assert.equal(harness.applier.calls.at(-1), 'write 3');
  assert.deepEqual(harness.takeAcks(), ['3 2 2']);
});

test('a mode holds from its barrier on, receipts beyond it wait until it is stored', async () => {
  const harness = new Harness('sync');
  harness.receive(write(2), barrier('mode', 'semi-sync'), write(3));
  harness.time.settle();
  await harness.applier.endSyncs();
  assert.equal(harness.loop.mode, 'sync');
  let release = (): void => undefined;
  harness.passing = new Promise((resolve) => (release = resolve));
  harness.time.settle();
  assert.ok(harness.acks.every(({ received }) => received <= 2));
  assert.deepEqual(harness.events, ['barrier mode']);
  release();
  await microtasks();
  harness.time.settle();
  assert.equal(harness.loop.mode, 'semi-sync');
  assert.equal(harness.takeAcks().at(-1), '3 2 2');
  harness.receive(write(4));
  harness.time.turn();
  assert.equal(harness.takeAcks().at(-1), '4 3 2');
});

test('a barrier whose hook fails ends the loop', async () => {
  const harness = new Harness('async');
  const rejected = Promise.reject(new Error('no space for the record'));
  rejected.catch(() => undefined);
  harness.passing = rejected;
  harness.receive(barrier('mode', 'sync'), write(2));
  harness.time.settle();
  await harness.applier.endSyncs();
  harness.time.settle();
  await microtasks();
  const text = 'barrier mode: no space for the record';
  assert.deepEqual(harness.events, ['barrier mode', `failed 1 ${EIO} ${text}`]);
  assert.equal(harness.acks.at(-1)?.durable, 0);
});

test('receipts need free space beyond what is queued', () => {
  const harness = new Harness('semi-sync');
  harness.availableBytes = RECEIPT_FREE_MARGIN_BYTES + 1000;
  harness.time.advance(SPACE_INTERVAL_MS);
  harness.takeAcks();
  harness.receive(write(2, 999));
  harness.time.turn();
  assert.deepEqual(harness.takeAcks(), ['1 0 0'], 'it fits');
  harness.availableBytes -= 999;
  harness.receive(write(2, 2));
  harness.time.turn();
  assert.deepEqual(
    harness.takeAcks(),
    ['2 2 0'],
    'it may not: only once applied, but then at once',
  );
});

test('space taken since it was measured counts, unless a new look shows more', () => {
  const harness = new Harness('semi-sync');
  harness.availableBytes = RECEIPT_FREE_MARGIN_BYTES + 1000;
  harness.time.advance(SPACE_INTERVAL_MS);
  harness.receive(write(2, 900));
  harness.time.settle();
  harness.time.advance(ACK_DELAY_MS);
  harness.takeAcks();
  const before = harness.spaceCalls;
  harness.receive(write(2, 900));
  harness.time.turn();
  assert.deepEqual(harness.takeAcks(), ['2 1 0'], 'overwritten: nothing was taken');
  assert.equal(harness.spaceCalls, before + 1);
});

test('space is told at the start and regularly', () => {
  const harness = new Harness('async');
  assert.equal(harness.applier.calls[0], 'ack 0 0 0');
  harness.time.advance(SPACE_INTERVAL_MS);
  assert.deepEqual(
    harness.acks.map(({ space }) => space?.availableBytes),
    [harness.availableBytes],
  );
  harness.receive(write(2));
  harness.time.settle();
  harness.time.advance(ACK_DELAY_MS);
  assert.equal(harness.acks.at(-1)?.space, null);
});

test('work is cut into slices', () => {
  const harness = new Harness('async');
  harness.time.tickMs = 0.5;
  harness.receive(...Array.from({ length: 10 }, (_, index) => write(index + 2)));
  harness.time.turn();
  const inOneTurn = harness.loop.watermarks.applied;
  assert.ok(inOneTurn >= 1 && inOneTurn < 10, `${inOneTurn} ops in one turn`);
  harness.time.settle();
  assert.equal(harness.loop.watermarks.applied, 10);
});

test('a full queue pauses the link until there is room', () => {
  const harness = new Harness('async');
  harness.time.tickMs = 10;
  const bytes = 1_000_000;
  const count = Math.ceil(RECEIVE_QUEUE_BYTES_MAX / bytes) + 1;
  for (let index = 0; index < count; index++) harness.receive(write(2, bytes));
  assert.deepEqual(harness.events, ['pause']);
  assert.ok(harness.loop.queuedBytes > RECEIVE_QUEUE_BYTES_MAX);
  harness.time.turn();
  assert.deepEqual(harness.events, ['pause']);
  harness.time.settle();
  assert.deepEqual(harness.events, ['pause', 'resume']);
  assert.equal(harness.loop.queuedBytes, 0);
});

test('drain resolves when everything received is applied', async () => {
  const harness = new Harness('async');
  await harness.loop.drain();
  harness.receive(write(2), barrier('flush'), write(3));
  let drained = false;
  const drain = harness.loop.drain().then(() => (drained = true));
  harness.time.settle();
  await microtasks();
  assert.equal(drained, false, 'the barrier holds');
  await harness.applier.endSyncs();
  harness.time.settle();
  await microtasks();
  harness.time.settle();
  await drain;
  assert.equal(harness.applier.calls.filter((call) => call.startsWith('write')).length, 2);
});

test('close applies and says nothing more', async () => {
  const harness = new Harness('sync');
  harness.receive(write(2));
  harness.time.settle();
  harness.receive(write(3));
  const drained = harness.loop.drain();
  harness.loop.close();
  await assert.rejects(drained, { code: 'apply-closed' });
  await harness.applier.endSyncs();
  harness.time.advance(SPACE_INTERVAL_MS);
  assert.ok(!harness.applier.calls.includes('write 3'));
  assert.equal(harness.acks.length, 0);
  assert.equal(harness.time.timerCount, 0);
});

test('a forgotten name is an error the loop can describe', () => {
  const harness = new Harness('async');
  harness.applier.errnos['rename'] = ENOENT;
  harness.receive({
    kind: 'rename',
    parent: 1,
    name: Buffer.from([0xff, 0x0a]),
    newParent: 2,
    newName: Buffer.from('ü'),
    flags: 0,
  });
  harness.time.settle();
  assert.deepEqual(harness.events, [
    `failed 1 ${ENOENT} rename "ÿ\\n" (below ref 1) to "ü" (below ref 2): ENOENT`,
  ]);
});

test('the mode can be set where no barrier said it', () => {
  const harness = new Harness('async');
  harness.receive(write(2));
  harness.time.settle();
  assert.equal(harness.applier.syncsRunning, 0);
  harness.loop.setMode('sync');
  harness.time.settle();
  assert.equal(harness.applier.syncsRunning, 1);
});
