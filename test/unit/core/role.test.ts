import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkPromote,
  isReadOnly,
  nextData,
  serviceWord,
  startPrimary,
  startSecondary,
  type DataEvent,
} from '../../../src/core/role.js';
import { MODES, type DataState } from '../../../src/core/types.js';
import { record, secondary } from './fixtures.js';

const STATES: readonly DataState[] = ['UpToDate', 'Consistent', 'Outdated', 'Inconsistent'];

test('data states: every state and event', () => {
  const row = (event: DataEvent): string => STATES.map((s) => nextData(s, event)).join(' ');
  assert.equal(row('link-lost'), 'Consistent Consistent Outdated Inconsistent');
  assert.equal(row('primary-moved-on'), 'Outdated Outdated Outdated Inconsistent');
  assert.equal(row('sync-begins'), 'Inconsistent Inconsistent Inconsistent Inconsistent');
  assert.equal(row('disk-failed'), 'Inconsistent Inconsistent Inconsistent Inconsistent');
  assert.equal(row('sync-ends'), 'UpToDate UpToDate UpToDate UpToDate');
});

test('a secondary after an unclean stop is Consistent in sync only', () => {
  for (const mode of MODES) {
    const expected = mode === 'sync' ? 'Consistent' : 'Inconsistent';
    for (const bootId of ['boot-1', 'boot-2']) {
      const started = startSecondary(secondary({ mode, clean: false }), bootId);
      assert.deepEqual([started.data, started.clean, started.bootId], [expected, false, bootId]);
    }
    assert.equal(startSecondary(secondary({ mode, clean: true }), 'boot-2').data, 'Consistent');
  }
});

test('a start makes nothing better than it was', () => {
  for (const data of ['Outdated', 'Inconsistent'] as const) {
    assert.equal(startSecondary(secondary({ data, clean: true }), 'boot-1').data, data);
  }
});

test('a killed primary that is served lost nothing, unless its machine went down', () => {
  const killed = record({ mode: 'async', clean: false });
  assert.equal(startSecondary(killed, 'boot-1').data, 'Consistent');
  assert.equal(startSecondary(killed, 'boot-1').role, 'Secondary');
  assert.equal(startSecondary(killed, 'boot-2').data, 'Inconsistent');
});

test('a primary whose machine went down does not mount where the peer may have more', () => {
  for (const mode of MODES) {
    for (const wentAlone of [false, true]) {
      for (const clean of [false, true]) {
        for (const bootId of ['boot-1', 'boot-2']) {
          const start = startPrimary(record({ mode, wentAlone, clean }), bootId, false);
          const refused = mode === 'semi-sync' && !wentAlone && !clean && bootId === 'boot-2';
          assert.equal(start.refusal?.code ?? null, refused ? 'primary-outdated' : null);
          assert.equal(start.record.data, refused ? 'Outdated' : 'UpToDate');
        }
      }
    }
  }
});

test('that refusal stays until the operator overrules it', () => {
  const down = record({ mode: 'semi-sync', clean: false });
  const first = startPrimary(down, 'boot-2', false);
  const second = startPrimary(first.record, 'boot-3', false);
  assert.equal(second.refusal?.code, 'primary-outdated');
  assert.match(second.refusal?.text ?? '', /--overwrite-peer/);
  const overruled = startPrimary(second.record, 'boot-3', true);
  assert.equal(overruled.refusal, null);
  assert.deepEqual(
    [overruled.record.data, overruled.record.clean, overruled.record.bootId],
    ['UpToDate', false, 'boot-3'],
  );
});

test('an Inconsistent primary and a Secondary do not mount', () => {
  const broken = startPrimary(record({ data: 'Inconsistent', clean: true }), 'boot-1', false);
  assert.equal(broken.refusal?.code, 'primary-inconsistent');
  assert.equal(startPrimary(record({ data: 'Inconsistent' }), 'boot-1', true).refusal, null);
  for (const word of [false, true]) {
    assert.equal(startPrimary(secondary(), 'boot-1', word).refusal?.code, 'not-primary');
  }
});

test('promotion: every precondition, its override, and since when nothing was heard', () => {
  const base = {
    role: 'Secondary',
    silentMs: 12_345,
    primaryAnswers: false,
    force: false,
  } as const;
  const code = (more: Partial<Parameters<typeof checkPromote>[0]>): string | null =>
    checkPromote({ ...base, data: 'Consistent', ...more }).refusal?.code ?? null;
  assert.equal(code({}), null);
  assert.equal(code({ data: 'UpToDate' }), null);
  assert.equal(code({ primaryAnswers: true }), 'primary-answers');
  assert.equal(code({ data: 'Outdated' }), 'outdated');
  assert.equal(code({ data: 'Inconsistent' }), 'inconsistent');
  assert.equal(code({ role: 'Primary', force: true }), 'already-primary');
  for (const data of STATES) {
    assert.equal(code({ data, primaryAnswers: true, force: true }), null);
    for (const primaryAnswers of [false, true]) {
      const { refusal } = checkPromote({ ...base, data, primaryAnswers });
      if (refusal !== null) assert.match(refusal.text, /--force.*last heard 12 s ago/s);
    }
  }
  const never = checkPromote({ ...base, data: 'Consistent', silentMs: null });
  assert.match(never.heard, /nothing has been heard/);
  assert.match(checkPromote({ ...base, data: 'Consistent', silentMs: 1234 }).heard, /1\.2 s/);
});

test('the role fence', () => {
  for (const policy of ['continue', 'block', 'read-only'] as const) {
    for (const lost of [false, true]) {
      assert.equal(isReadOnly('Secondary', policy, lost), true);
      assert.equal(isReadOnly('Primary', policy, lost), policy === 'read-only' && lost);
    }
  }
});

test("SafeKit's words", () => {
  assert.equal(serviceWord('Primary', 'Off'), 'ALONE');
  assert.equal(serviceWord('Primary', 'Established'), 'PRIM');
  assert.equal(serviceWord('Primary', 'SyncSource'), 'PRIM');
  assert.equal(serviceWord('Secondary', 'Off'), 'WAIT');
  assert.equal(serviceWord('Secondary', 'Established'), 'SECOND');
  assert.equal(serviceWord('Secondary', 'SyncTarget'), 'SECOND');
});
