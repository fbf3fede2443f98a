import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMark, recoveredRecord } from '../../../src/core/root-mark.js';
import { compare } from '../../../src/core/generation.js';
import { NO_ID, type NodeRecord, type RootMark } from '../../../src/core/types.js';
import { fresh, id, identity, MIRROR, record, secondary } from './fixtures.js';

const mark = (changes: Partial<RootMark> = {}): RootMark => ({
  mirror: MIRROR,
  node: id('1'),
  current: id('c0'),
  next: NO_ID,
  ...changes,
});
const problem = (from: NodeRecord | null, value: RootMark | null): string | null =>
  checkMark(from, value, '/srv/data').problem;
const unfinished = record({ role: 'Secondary', current: NO_ID });

test('record and mark: every case', () => {
  assert.equal(problem(null, null), null);
  assert.equal(problem(fresh(), null), null);
  assert.equal(problem(record(), mark()), null);
  assert.equal(problem(record(), null), 'mark-missing');
  assert.equal(problem(unfinished, null), 'mark-missing');
  assert.equal(problem(null, mark()), 'record-missing');
  assert.equal(problem(fresh(), mark()), 'record-missing');
  assert.equal(problem(record(), mark({ mirror: id('bb') })), 'mark-other-mirror');
  assert.equal(problem(record(), mark({ node: id('2') })), 'mark-other-node');
  assert.equal(problem(record(), mark({ current: id('b0') })), 'mark-other-generation');
  assert.equal(problem(unfinished, mark({ current: id('b0') })), null);
});

test('what a crash between the three steps leaves is accepted', () => {
  const before = record();
  const after = record({ current: id('c1') });
  const announced = mark({ next: id('c1') });
  assert.equal(problem(before, announced), null);
  assert.equal(problem(after, announced), null);
  // The first mark of a new mirror, and of a fresh secondary, before its record.
  assert.equal(problem(null, mark({ current: NO_ID, next: id('c0') })), null);
  assert.equal(problem(fresh(), mark({ current: NO_ID })), null);
  // But not a target that lost its record: it must not become a new mirror.
  assert.equal(problem(null, mark({ current: NO_ID })), 'record-missing');
});

test('a state directory from a backup, and a snapshot from before, are both noticed', () => {
  assert.equal(problem(record(), mark({ current: id('c1') })), 'mark-other-generation');
  assert.equal(problem(record({ current: id('c1') }), mark()), 'mark-other-generation');
});

test('each problem says what to do', () => {
  const check = checkMark(record(), null, '/srv/data');
  assert.match(check.problem === null ? '' : check.text, /\/srv\/data.*--force/);
});

test('what --force recovers lets the peer decide', () => {
  const restored = recoveredRecord(record({ current: id('c1') }), mark());
  assert.deepEqual([restored.current, restored.base], [id('c0'), id('c0')]);
  const newer = secondary({ current: id('c1') });
  assert.equal(compare(identity(restored), identity(newer)).rule, 'source-older');
  assert.equal(recoveredRecord(record(), null).current, id('c0'));
  const served = recoveredRecord(secondary(), mark({ node: id('2') }));
  assert.deepEqual([served.data, served.mirror], ['Inconsistent', MIRROR]);
});

test('a recovered target is fresh again, and no source without a word', () => {
  const half = mark({ current: NO_ID });
  const target = recoveredRecord(secondary(), half);
  assert.equal(compare(identity(record()), identity(target)).rule, 'first-sync-over-existing');
  const source = recoveredRecord(record(), half);
  assert.equal(compare(identity(source), identity(secondary())).rule, 'source-inconsistent');
});
