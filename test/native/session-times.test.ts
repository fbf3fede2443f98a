/**
 * Times: the primary's mtimes reach the stream, coalesced, and never an older after a newer one.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, skip, type Rig } from './session-rig.js';

const mtimeOf = (rig: Rig, name: string): bigint =>
  fs.statSync(join(rig.source, name), { bigint: true }).mtimeNs;

/** The last mtime handed over for what `name` is. */
function lastTimes(rig: Rig, name: string) {
  const ref = rig.ops('create').find((op) => op.name.toString() === name)?.ref;
  return rig
    .ops('times')
    .filter((op) => op.ref === ref)
    .at(-1);
}

test('many changes are one op with the resulting mtime', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on' });
  await rig.sh('for i in 1 2 3 4 5 6 7 8 9; do echo $i >> f; done');
  await waitFor('the times', () => lastTimes(rig, 'f')?.mtime === mtimeOf(rig, 'f'));
  assert.ok(rig.ops('times').length < 9);
  assert.equal(lastTimes(rig, 'f')?.atime, null);
});

test('directories too, by flushTimes and quiesce', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on' });
  await rig.sh('mkdir d && touch d/a && rm d/a');
  await rig.settle();
  assert.equal(lastTimes(rig, 'd')?.mtime, mtimeOf(rig, 'd'));
  const root = rig.ops('times').filter(({ ref }) => ref === 1);
  assert.equal(root.at(-1)?.mtime, mtimeOf(rig, '.'));
});

test(
  'times set explicitly are handed over at once and stay the last',
  { skip },
  async (context) => {
    const rig = await mountedRig(context, { stream: 'on' });
    await rig.sh("echo x > f; touch -d '2001-02-03 04:05:06.789' f");
    await rig.settle();
    const times = lastTimes(rig, 'f');
    assert.equal(times?.mtime, mtimeOf(rig, 'f'));
    assert.equal(fs.statSync(join(rig.source, 'f')).mtime.getFullYear(), 2001);
    const explicit = rig.ops('times').find(({ atime }) => atime !== null);
    assert.equal(explicit?.atime, explicit?.mtime);
  },
);

test('nothing without a stream', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'off' });
  await rig.sh('echo x > f; touch f');
  rig.engine.setStream('track');
  await rig.sh('echo x > g; touch f');
  await rig.settle();
  assert.deepEqual(rig.changes, []);
});
