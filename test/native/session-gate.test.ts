/** The gate: closed, nothing changes and everything else goes on; the role fence refuses. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, skip } from './session-rig.js';

/** A change that waits holds its directory's lock in the kernel, so it waits in one of its own. */
const prepare = (source: string): void => {
  for (const name of ['w', 'r']) fs.mkdirSync(join(source, name));
  fs.writeFileSync(join(source, 'r/old'), 'old data');
};

test('it starts closed; changes wait, reads go on', { skip }, async (context) => {
  const rig = await mountedRig(context, { gateOpen: false, prepare });
  // More than there are workers: they must not all be taken by those who wait.
  const writers = Array.from({ length: 24 }, (_, index) => rig.run(`mkdir w/d${index}`));
  await waitFor('a waiter', () => rig.gateWaits.count > 0);
  assert.equal(await rig.sh('cat r/old; ls r'), 'old dataold\n');
  assert.deepEqual(fs.readdirSync(join(rig.source, 'w')), []);
  rig.engine.setGate(true);
  assert.ok((await Promise.all(writers)).every(({ status }) => status === 0));
  assert.equal(fs.readdirSync(join(rig.source, 'w')).length, 24);
  assert.equal(rig.gateWaits.count, 1);
});

test('a waiter is announced once a closing', { skip }, async (context) => {
  const rig = await mountedRig(context);
  await rig.sh('mkdir before');
  assert.equal(rig.gateWaits.count, 0);
  for (const round of [1, 2]) {
    rig.engine.setGate(false);
    const waiting = [rig.run(`mkdir a${round}`), rig.run(`mkdir b${round}`)];
    await waitFor('the announcement', () => rig.gateWaits.count === round);
    rig.engine.setGate(true);
    await Promise.all(waiting);
  }
  assert.equal(rig.gateWaits.count, 2);
});

test('who waited for room is announced when the gate closes', { skip }, async (context) => {
  const rig = await mountedRig(context, {
    stream: 'on',
    answering: false,
    mount: { handoffBytesMax: 64 * 1024 },
  });
  const writer = rig.run('dd if=/dev/zero of=f bs=32k count=6 2>/dev/null');
  await waitFor('no more room', () => rig.engine.counters().handoffBytes >= 64 * 1024);
  rig.engine.setGate(false);
  await waitFor('the announcement', () => rig.gateWaits.count === 1);
  rig.engine.setStream('off');
  rig.engine.setGate(true);
  assert.equal((await writer).status, 0);
});

test('quiesce: everything before it is handed over', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on' });
  const writer = rig.run('i=0; while [ $i -lt 300 ]; do echo $i >> f; i=$((i+1)); done');
  for (let round = 0; round < 10; round += 1) {
    await waitFor('more changes', () => rig.ops('write').length > round * 10);
    rig.engine.setGate(false);
    await rig.engine.quiesce();
    const lines = fs.readFileSync(join(rig.source, 'f'), 'utf8').split('\n').length - 1;
    assert.equal(rig.ops('write').length, lines);
    rig.engine.setGate(true);
  }
  assert.equal((await writer).status, 0);
});

test('the fence refuses changes with EROFS, waiting ones too', { skip }, async (context) => {
  const rig = await mountedRig(context, { gateOpen: false, prepare });
  const waiting = rig.run('mkdir w/waiting');
  await waitFor('a waiter', () => rig.gateWaits.count === 1);
  rig.engine.setReadOnly(true);
  assert.match((await waiting).output, /Read-only file system/);
  rig.engine.setGate(true);
  const { output } = await rig.run(
    'cd r; echo x > new; rm old; chmod 600 old; echo x >> old; cat old',
  );
  assert.equal(output.match(/Read-only file system/g)?.length, 4);
  assert.match(output, /old data$/);
  rig.engine.setReadOnly(false);
  await rig.sh('echo x >> r/old');
  assert.deepEqual(fs.readdirSync(join(rig.source, 'r')), ['old']);
});
