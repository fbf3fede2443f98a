import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goAlone, shareGeneration } from '../../../src/core/record.js';
import type { NodeRecord } from '../../../src/core/types.js';
import type { Engine } from '../../../src/engine/engine.js';
import type { NodeContext } from '../../../src/node/context.js';
import { RecordKeeper } from '../../../src/node/record-keeper.js';
import { Gate } from '../../../src/primary/gate.js';
import { Standing } from '../../../src/primary/standing.js';
import { id, record } from '../core/fixtures.js';

/** A standing whose engine notes what it is told and whose disk answers when `store` is called. */
function bench(initial: NodeRecord, onPeerLoss = 'continue', start = 'mount') {
  const told: string[] = [];
  const engine = {
    setGate: (open: boolean) => told.push(open ? 'open' : 'shut'),
    setStream: (state: string) => told.push(`stream ${state}`),
    setAnswer: () => undefined,
    setReadOnly: (on: boolean) => told.push(on ? 'fenced' : 'free'),
    complete: (tokens: readonly number[]) => told.push(`answer ${tokens.join(' ')}`),
    credit: () => undefined,
  } as unknown as Engine;
  const keeper = new RecordKeeper(initial, async (next) => {
    await Promise.resolve();
    told.push(`stored ${next.current.replace(/^0+/, '')}`);
  });
  const quiet = () => undefined;
  const context = {
    config: { options: { onPeerLoss }, start, peer: { host: 'b', port: 1 } },
    record: keeper,
    log: { warn: quiet },
    fatal: assert.fail,
  } as unknown as NodeContext;
  const gate = new Gate(engine);
  const standing = new Standing(context, engine, gate);
  return { told, keeper, gate, standing };
}

test('a generation told to the peer gets no change, though the link broke before the stream was on', async () => {
  const { told, keeper, gate, standing } = bench(goAlone(record(), id('c1')));
  standing.start();
  gate.start();
  assert.equal(gate.isHeldFor('alone-not-recorded'), false);
  // The last pass of a resync: writers held, the generation shared, the link lost meanwhile.
  gate.hold('resync');
  await keeper.update(shareGeneration);
  told.length = 0;
  standing.resumed();
  gate.release('resync');
  standing.resumed();
  assert.deepEqual(told, [], 'the gate stays shut');
  standing.waiterAtGate();
  await keeper.settled();
  assert.equal(keeper.current.wentAlone, true);
  assert.notEqual(keeper.current.current, id('c1'));
  assert.match(told.join(', '), /^stored [^,]+, .*open/);
});

test('callers the peer may not have heard of are answered after the record, not before', async () => {
  const { told, keeper, gate, standing } = bench(record());
  standing.start();
  gate.start();
  standing.established();
  told.length = 0;
  standing.lost([7, 8], true);
  assert.equal(
    told.some((line) => line.startsWith('answer')),
    false,
  );
  await keeper.settled();
  const [stored, answered] = ['stored', 'answer 7 8'].map((what) =>
    told.findIndex((line) => line.startsWith(what)),
  );
  assert.ok(stored !== undefined && answered !== undefined && stored >= 0 && answered > stored);
});

test('a policy for the loss of the peer holds after a restart, not after a promotion', async () => {
  const blocked = bench(record(), 'block');
  blocked.standing.start();
  blocked.standing.waiterAtGate();
  await blocked.keeper.settled();
  assert.equal(blocked.gate.isHeldFor('peer-away'), true);
  assert.equal(blocked.keeper.current.wentAlone, false);

  const fenced = bench(record(), 'read-only');
  fenced.standing.start();
  fenced.standing.waiterAtGate();
  await fenced.keeper.settled();
  assert.deepEqual(fenced.told, ['shut', 'fenced'].reverse());
  assert.equal(fenced.keeper.current.wentAlone, false, 'what is refused needs no generation');

  for (const free of [
    bench(record(), 'block', 'serve'),
    bench(goAlone(record(), id('c1')), 'block'),
  ]) {
    free.standing.start();
    assert.equal(free.gate.isHeldFor('peer-away'), false);
  }
});

test('told to end, it answers who waits for a peer that is away', () => {
  const { told, gate, standing } = bench(record(), 'block');
  standing.start();
  gate.start();
  standing.established();
  standing.lost([7], true);
  assert.equal(gate.isHeldFor('peer-away'), true);
  told.length = 0;
  standing.giveUp();
  assert.deepEqual(told, ['fenced', 'answer 7']);
});
