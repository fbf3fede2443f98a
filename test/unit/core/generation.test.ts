import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, relate, type Decision } from '../../../src/core/generation.js';
import { NO_ID, type Id, type Identity, type NodeRecord } from '../../../src/core/types.js';
import { fresh, id, identity, record, secondary } from './fixtures.js';

type Flags = Parameters<typeof identity>[1];
const meet = (
  a: Partial<NodeRecord>,
  b: NodeRecord,
  aFlags: Flags = {},
  bFlags: Flags = {},
): Decision => compare(identity(record(a), aFlags), identity(b, bFlags));

/** One line per rule of the table: name, primary, secondary, expected. */
const TABLE: readonly (readonly [string, Decision])[] = [
  ['full-resync first-sync-empty', meet({}, fresh(), {}, { empty: true })],
  ['full-resync first-sync-empty', meet({}, fresh(), { empty: true }, { empty: true })],
  ['full-resync first-sync-over-existing', meet({}, fresh())],
  ['refuse empty-source', meet({}, fresh(), { empty: true })],
  ['refuse empty-source', meet({}, secondary(), { empty: true })],
  ['full-resync same-generation', meet({}, secondary())],
  ['full-resync same-generation', meet({}, secondary(), { empty: true }, { empty: true })],
  ['full-resync peer-was-base', meet({ current: id('c1'), wentAlone: true }, secondary())],
  [
    'full-resync peer-in-history',
    meet({ current: id('c2'), base: id('c1'), history: [id('c0')] }, secondary()),
  ],
  [
    'full-resync unfinished-resync',
    meet({}, secondary({ current: NO_ID, base: id('c0'), data: 'Inconsistent' })),
  ],
  [
    'full-resync unfinished-resync',
    meet({ current: id('c1') }, secondary({ current: NO_ID, base: id('c0') })),
  ],
  [
    'refuse unrelated',
    meet({}, secondary({ current: NO_ID, base: id('c7'), history: [id('c5')] })),
  ],
  [
    'refuse source-older',
    meet({}, secondary({ current: NO_ID, base: id('c7'), history: [id('c0')] })),
  ],
  ['refuse source-older', meet({}, secondary({ current: id('c1') }))],
  [
    'refuse source-older',
    meet({}, secondary({ current: id('c2'), base: id('c1'), history: [id('c0')] })),
  ],
  ['refuse split-brain', meet({ current: id('c1') }, secondary({ current: id('c2') }))],
  [
    'refuse split-brain',
    meet(
      { current: id('c3'), base: id('c1'), history: [id('c0')] },
      secondary({ current: id('c2') }),
    ),
  ],
  // Its record says it changed a generation that the primary has too: from a backup; nothing is
  // proven.
  ['refuse split-brain', meet({}, secondary({ base: id('b0'), wentAlone: true }))],
  [
    'refuse split-brain',
    meet({ current: id('c1') }, secondary({ base: id('b0'), wentAlone: true })),
  ],
  ['refuse unrelated', meet({}, secondary({ current: id('d0'), base: id('d1') }))],
  // Each claims to descend from the other.
  ['refuse unrelated', meet({ base: id('c1') }, secondary({ current: id('c1') }))],
  ['refuse other-mirror', meet({}, secondary({ mirror: id('bb') }))],
  ['refuse two-primaries', meet({}, secondary({ role: 'Primary' }))],
  ['refuse no-primary', meet({ role: 'Secondary' }, secondary())],
  ['refuse no-identity', meet({ mirror: NO_ID }, fresh())],
  ['refuse no-identity', meet({ current: NO_ID }, secondary())],
  ['refuse no-identity', meet({}, fresh({ current: id('c0') }))],
  ['refuse no-identity', meet({}, secondary({ current: NO_ID, base: NO_ID }))],
  ['refuse same-node', meet({}, secondary({ node: id('1') }))],
  ['refuse source-inconsistent', meet({ data: 'Inconsistent' }, secondary())],
  ['refuse source-outdated', meet({ data: 'Outdated' }, secondary())],
  ['full-resync first-sync-empty', meet({ data: 'Outdated' }, fresh(), {}, { empty: true })],
];

test('the table of cases', () => {
  for (const [index, [expected, decision]] of TABLE.entries()) {
    assert.equal(`${decision.decision} ${decision.rule}`, expected, `line ${index}`);
  }
});

const byWord = (a: Partial<NodeRecord>, b: NodeRecord, aEmpty = false): string =>
  (
    [
      [false, false],
      [true, false],
      [false, true],
    ] as const
  )
    .map(([overwritePeer, discardMine]) =>
      meet(a, b, { overwritePeer, empty: aEmpty }, { discardMine }),
    )
    .map((decision) => decision.decision)
    .join(' ');

test('which word overrules which refusal: none, --overwrite-peer, --discard-mine', () => {
  const never = 'refuse refuse refuse';
  const onPrimary = 'refuse full-resync refuse';
  const onSecondary = 'refuse refuse full-resync';
  const either = 'refuse full-resync full-resync';
  assert.equal(byWord({}, secondary({ role: 'Primary' })), never);
  assert.equal(byWord({ role: 'Secondary' }, secondary()), never);
  assert.equal(byWord({ current: NO_ID }, secondary()), never);
  assert.equal(byWord({}, secondary({ node: id('1') })), never);
  assert.equal(byWord({}, secondary({ mirror: id('bb') })), onSecondary);
  assert.equal(byWord({}, secondary(), true), onPrimary);
  assert.equal(byWord({ data: 'Inconsistent' }, secondary()), onPrimary);
  assert.equal(byWord({ data: 'Outdated' }, secondary()), onPrimary);
  assert.equal(byWord({}, secondary({ current: id('c1') })), either);
  assert.equal(byWord({ current: id('c1') }, secondary({ current: id('c2') })), either);
  assert.equal(byWord({}, secondary({ current: id('d0'), base: id('d1') })), either);
});

test('one word does not overrule a second objection, and what was overruled is told', () => {
  const other = secondary({ mirror: id('bb') });
  const refused = meet({}, other, { empty: true }, { discardMine: true });
  assert.equal(refused.rule, 'empty-source');
  const both = meet({}, other, { empty: true, overwritePeer: true }, { discardMine: true });
  assert.equal(both.decision, 'full-resync');
  assert.deepEqual(both.decision === 'full-resync' ? both.overruled : null, [
    { rule: 'other-mirror', by: 'discard-mine' },
    { rule: 'empty-source', by: 'overwrite-peer' },
  ]);
});

test('every refusal that has an override names it in its text', () => {
  for (const [, decision] of TABLE) {
    assert.ok(decision.text.length > 20);
    if (decision.decision !== 'refuse') continue;
    for (const word of decision.overrides) {
      assert.ok(decision.text.includes(`--${word}`), `${decision.rule} names --${word}`);
    }
  }
});

/** Every set of ids a record can have over a small world, contradictory ones included. */
function* lineages(ids: readonly Id[]): Generator<Pick<Identity, 'current' | 'base' | 'history'>> {
  const withNone = [NO_ID, ...ids];
  for (const current of withNone) {
    for (const base of withNone) {
      yield { current, base, history: [] };
      for (const one of ids) {
        yield { current, base, history: [one] };
        for (const two of ids) if (two !== one) yield { current, base, history: [one, two] };
      }
    }
  }
}

test('exhaustive over small id sets: one named outcome, overwritten only what is known to be older', () => {
  const ids = [id('c0'), id('c1'), id('c2')];
  const all = [...lineages(ids)];
  let targets = 0;
  for (const a of all) {
    for (const b of all) {
      for (const wentAlone of [false, true]) {
        const primary = identity(record(a));
        const peer = identity(secondary({ ...b, wentAlone }));
        const { decision, rule } = compare(primary, peer);
        if (decision === 'refuse') continue;
        targets += 1;
        const ours = [primary.current, primary.base, ...primary.history];
        const theirs = peer.current === NO_ID ? peer.base : peer.current;
        const text = JSON.stringify({ rule, a, b, wentAlone });
        assert.ok(ours.includes(theirs) && theirs !== NO_ID, `descends: ${text}`);
        const claims = [peer.base, ...peer.history].filter((one) => one !== peer.current);
        const isNewer = claims.includes(primary.current) && theirs !== primary.current;
        assert.ok(!isNewer, `not newer: ${text}`);
        if (peer.current !== NO_ID) assert.ok(!wentAlone, `no change of its own: ${text}`);
      }
    }
  }
  assert.ok(targets > 500, `the accepted half is covered too (${targets})`);
});

test('exhaustive: the two directions never both overwrite, unless the generation is the same', () => {
  const all = [...lineages([id('c0'), id('c1'), id('c2')])].filter((a) => a.current !== NO_ID);
  for (const a of all) {
    for (const b of all) {
      const forth = relate(identity(record(a)), identity(secondary(b)));
      const back = relate(identity(record(b)), identity(secondary(a)));
      const isTarget = (rule: string): boolean => rule.startsWith('peer-');
      assert.ok(!(isTarget(forth) && isTarget(back)), JSON.stringify({ a, b, forth, back }));
      assert.equal(forth === 'same-generation', back === 'same-generation');
    }
  }
});
