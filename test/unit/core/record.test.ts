import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  adopt,
  beginTarget,
  freshSecondaryRecord,
  goAlone,
  isUnused,
  newMirrorRecord,
  promoteRecord,
  shareGeneration,
  syncedRecord,
} from '../../../src/core/record.js';
import { startSecondary } from '../../../src/core/role.js';
import { NO_ID } from '../../../src/core/types.js';
import { GENERATION_HISTORY_MAX } from '../../../src/limits.js';
import { fresh, id, MIRROR, record, secondary } from './fixtures.js';

const birth = { node: id('1'), mode: 'sync', bootId: 'boot-1', directory: '/srv/data' } as const;

test('the first change without the peer makes a generation once', () => {
  const alone = goAlone(record(), id('c1'));
  assert.deepEqual([alone.current, alone.base, alone.wentAlone], [id('c1'), id('c0'), true]);
  assert.equal(goAlone(alone, id('c2')), alone);
  assert.throws(() => goAlone(record(), id('c0')), /new id/);
  assert.throws(() => goAlone(secondary(), id('c1')), /only a primary/);
});

test('a new mirror is alone from birth: its first change makes no generation', () => {
  const born = newMirrorRecord(birth, MIRROR, id('c0'));
  assert.equal(goAlone(born, id('c1')), born);
  assert.throws(() => newMirrorRecord(birth, NO_ID, id('c0')), /has ids/);
});

test('once told to the peer, a generation gets no change of its own any more', () => {
  const alone = goAlone(record(), id('c1'));
  const shared = shareGeneration(alone);
  assert.deepEqual(
    [shared.current, shared.base, shared.history, shared.wentAlone],
    [id('c1'), id('c1'), [id('c0')], false],
  );
  assert.equal(shareGeneration(shared), shared);
  const again = goAlone(shared, id('c2'));
  assert.deepEqual(
    [again.current, again.base, again.history, again.wentAlone],
    [id('c2'), id('c1'), [id('c0')], true],
  );
});

test('the source is UpToDate when the peer has stored, whatever it was', () => {
  assert.equal(syncedRecord(record({ data: 'Outdated' })).data, 'UpToDate');
  const synced = record();
  assert.equal(syncedRecord(synced), synced);
});

test('a target is no generation until the end, and remembers where it was going', () => {
  const begun = beginTarget(secondary({ wentAlone: true }), { mirror: MIRROR, current: id('c5') });
  assert.equal(begun.data, 'Inconsistent');
  assert.deepEqual(
    [begun.current, begun.base, begun.history, begun.wentAlone],
    [NO_ID, id('c5'), [id('c0')], false],
  );
  const again = beginTarget(begun, { mirror: MIRROR, current: id('c6') });
  assert.deepEqual([again.base, again.history], [id('c6'), [id('c5'), id('c0')]]);
  const end = { current: id('c6'), base: id('c6'), history: [id('c5')], mode: 'async' } as const;
  const done = adopt(again, end);
  assert.deepEqual(
    [done.data, done.current, done.base, done.history, done.mode],
    ['UpToDate', id('c6'), id('c6'), [id('c5')], 'async'],
  );
  assert.throws(() => beginTarget(record(), { mirror: MIRROR, current: id('c5') }), /secondary/);
});

test('a fresh node takes the mirror of its source; ids of another mirror are forgotten', () => {
  const source = { mirror: MIRROR, current: id('c5') };
  assert.equal(beginTarget(freshSecondaryRecord(birth), source).mirror, MIRROR);
  assert.deepEqual(beginTarget(fresh(), source).history, []);
  const other = beginTarget(secondary({ mirror: id('bb'), history: [id('c9')] }), source);
  assert.deepEqual([other.mirror, other.history], [MIRROR, []]);
  const end = { current: id('c5'), base: id('c5'), history: [], mode: 'sync' } as const;
  assert.throws(() => adopt(fresh(), end), /has begun/);
});

test('an intact copy is promoted within its generation; its first change makes the next', () => {
  const promoted = promoteRecord(secondary({ data: 'Consistent' }), id('c7'), 'async');
  assert.deepEqual(
    [promoted.role, promoted.data, promoted.current, promoted.mode, promoted.wentAlone],
    ['Primary', 'UpToDate', id('c0'), 'async', false],
  );
  assert.equal(promoteRecord(secondary(), id('c7'), null).mode, 'sync');
  assert.equal(goAlone(promoted, id('c8')).base, id('c0'));
  assert.throws(() => promoteRecord(record(), id('c7'), null), /only a secondary/);
});

test('a copy promoted by force is a generation of its own at once', () => {
  const outdated = promoteRecord(secondary({ data: 'Outdated' }), id('c7'), null);
  assert.deepEqual(
    [outdated.current, outdated.base, outdated.wentAlone],
    [id('c7'), id('c0'), true],
  );
  const halfWay = secondary({ data: 'Inconsistent', current: NO_ID, base: id('c5') });
  const forced = promoteRecord(halfWay, id('c7'), null);
  assert.deepEqual(
    [forced.current, forced.base, forced.history, forced.wentAlone],
    [id('c7'), NO_ID, [], true],
  );
});

test('an old primary that is served keeps its ids and what it did alone', () => {
  const alone = goAlone(record(), id('c1'));
  const served = startSecondary(alone, alone.bootId);
  assert.deepEqual({ ...alone, role: 'Secondary', data: 'Consistent' }, served);
  assert.equal(promoteRecord(served, id('c2'), null).wentAlone, true);
  const torn = record({ data: 'Inconsistent' });
  assert.equal(startSecondary(torn, torn.bootId).data, 'Inconsistent');
});

test('history is bounded, newest first, without repetitions', () => {
  let now = record();
  for (let i = 1; i <= GENERATION_HISTORY_MAX + 8; i += 1) {
    now = shareGeneration(goAlone(now, id(`d${i.toString().padStart(3, '0')}`)));
  }
  assert.equal(now.history.length, GENERATION_HISTORY_MAX);
  assert.equal(new Set(now.history).size, GENERATION_HISTORY_MAX);
  assert.equal(now.history[0], id(`d${(GENERATION_HISTORY_MAX + 7).toString().padStart(3, '0')}`));
  assert.ok(!now.history.includes(id('c0')));
});

test('a directory is free for another use while no primary has met it', () => {
  const mark = { mirror: MIRROR, node: id('1'), current: NO_ID, next: id('c0') };
  const unused = freshSecondaryRecord(birth);
  assert.equal(isUnused(unused, null), true);
  assert.equal(isUnused(unused, mark), false, 'it was the target of a resync');
  assert.equal(isUnused(secondary(), null), false);
  assert.equal(isUnused(record(), null), false);
});
