/**
 * Durability: what waits for the local disk, and what becomes of its errors. The "disk" is another session,
 * whose fsyncs the test answers as it likes.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, skip, type Rig, type RigOptions } from './session-rig.js';
import type { Cleanup } from '../helpers/temp-dir.js';

const { EIO } = osConstants.errno;

interface Stack {
  readonly disk: Rig;
  readonly rig: Rig;
  /** What the disk answers an fsync with; null: it hangs. */
  fsync: number | null;
}

/** A session over a disk that obeys. */
async function stacked(context: Cleanup, options: RigOptions): Promise<Stack> {
  const stack: { disk?: Rig; rig?: Rig; fsync: number | null } = { fsync: 0 };
  // Registered first, so that it is ended last.
  const later: (() => Promise<void> | void)[] = [];
  context.after(async () => {
    for (const action of later) await action();
  });
  const prepare = (source: string): void =>
    ['f', 'g'].forEach((name) => fs.writeFileSync(join(source, name), 'old'));
  stack.disk = await mountedRig(
    { after: (action) => void later.push(action) },
    {
      ...{ stream: 'on', by: 'stream', prepare },
      answer: (op) => (op.kind === 'fsync' ? stack.fsync : 0),
    },
  );
  const upper = { after: (action: () => Promise<void> | void) => void later.unshift(action) };
  stack.rig = await mountedRig(upper, { ...options, source: stack.disk.mountpoint });
  return stack as Stack;
}

const WRITE = 'printf new | dd of=f conv=notrunc 2>/dev/null';

/** True while the promise has not settled. */
function pending(promise: Promise<unknown>): () => boolean {
  let isPending = true;
  void promise.finally(() => (isPending = false));
  return () => isPending;
}

test('with syncData a write waits for the local disk', { skip }, async (context) => {
  const stack = await stacked(context, { stream: 'on', by: 'stream', syncData: true });
  stack.fsync = null;
  const writer = stack.rig.run(WRITE);
  const isPending = pending(writer);
  await waitFor('the disk to be asked', () => stack.disk.waiting().length > 0);
  assert.ok(isPending());
  assert.deepEqual(stack.rig.waiting(), []);
  stack.fsync = 0;
  stack.disk.engine.complete(stack.disk.waiting(), 0);
  await waitFor('the answer', () => {
    stack.disk.engine.complete(stack.disk.waiting(), 0);
    return !isPending();
  });
  assert.equal((await writer).status, 0);
});

test('and for the stream as well', { skip }, async (context) => {
  const held = { answer: (): null => null };
  const stack = await stacked(context, { stream: 'on', by: 'stream', syncData: true, ...held });
  const writer = stack.rig.run(WRITE);
  const isPending = pending(writer);
  await waitFor('the disk to have it', () => stack.disk.ops('fsync').length > 0);
  await waitFor('the disk to be quiet', () => stack.disk.engine.counters().pendingAnswers === 0);
  assert.ok(isPending());
  stack.rig.engine.complete(stack.rig.waiting(), 0);
  assert.equal((await writer).status, 0);
});

test('a disk that fails is told, and its caller too', { skip }, async (context) => {
  const stack = await stacked(context, { stream: 'on', by: 'stream', syncData: true });
  await stack.rig.sh(WRITE);
  stack.fsync = EIO;
  assert.notEqual((await stack.rig.run(WRITE)).status, 0);
  await waitFor('the report', () => stack.rig.syncErrors.length > 0);
  assert.deepEqual(new Set(stack.rig.syncErrors), new Set([EIO]));
});

test("an application's own fsync, too", { skip }, async (context) => {
  const stack = await stacked(context, { stream: 'on', by: 'local' });
  await stack.rig.sh('sync f');
  assert.equal(stack.disk.ops('fsync').length, 1);
  stack.fsync = EIO;
  const { status, output } = await stack.rig.run('sync f');
  assert.notEqual(status, 0);
  assert.match(output, /Input\/output error/);
  await waitFor('the report', () => stack.rig.syncErrors.length === 1);
});

test('a new name is durable with the first write below it', { skip }, async (context) => {
  const stack = await stacked(context, { stream: 'on', by: 'stream', syncData: true });
  // The first round starts with a syncfs, which FUSE does not hear of.
  await stack.rig.sh(WRITE);
  const before = stack.disk.ops('fsync').length;
  await stack.rig.sh('mkdir d d/e && echo x > d/e/f');
  const synced = new Set(
    stack.disk
      .ops('fsync')
      .slice(before)
      .map(({ ref }) => ref),
  );
  const made = stack.disk.ops('create').map(({ ref }) => ref);
  assert.equal(made.length, 3);
  for (const ref of [1, ...made]) assert.ok(synced.has(ref), `${ref} is durable`);
});

test('many writers share a round', { skip }, async (context) => {
  const stack = await stacked(context, { stream: 'on', by: 'stream', syncData: true });
  // A round that hangs on another file; these come meanwhile, all of them direct and in parallel.
  stack.fsync = null;
  const first = stack.rig.run(WRITE.replace('of=f', 'of=g'));
  await waitFor('a round', () => stack.disk.waiting().length > 0);
  const before = stack.disk.ops('fsync').length;
  const writers = Array.from({ length: 6 }, () => stack.rig.run(WRITE));
  await waitFor('all writes', () => stack.rig.ops('write').length === 7);
  stack.fsync = 0;
  stack.disk.engine.complete(stack.disk.waiting(), 0);
  const results = await Promise.all([first, ...writers]);
  assert.ok(results.every(({ status }) => status === 0));
  const { ref } = stack.disk.ops('write').at(-1) ?? { ref: 0 };
  const rounds = stack.disk.ops('fsync').slice(before);
  assert.equal(rounds.filter((op) => op.ref === ref).length, 1);
});
