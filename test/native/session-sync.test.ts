/**
 * Durability: what waits for the local disk, and what becomes of its errors. The "disk" is another
 * session, whose fsyncs the test answers as it likes.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import * as fs from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import type { DiskEvent } from './session-disk.js';
import { mountedRig, skip, type Rig, type RigOptions } from './session-rig.js';

const { EIO } = osConstants.errno;
const diskMain = fileURLToPath(new URL('session-disk.js', import.meta.url));

interface Stack {
  readonly rig: Rig;
  /** What the disk answers an fsync with from now on; null: it hangs. */
  readonly fsync: (answer: number | null) => void;
  /** Refs of what the disk was told, in order. */
  readonly told: (kind: DiskEvent['kind']) => number[];
}

/** A session over a disk that obeys. */
async function stacked(context: Cleanup, options: RigOptions): Promise<Stack> {
  const last: (() => Promise<void> | void)[] = [];
  const directory = tempDir({ after: (action) => void last.push(action) }, 'disk');
  for (const name of ['source', 'mount']) fs.mkdirSync(join(directory, name));
  for (const name of ['f', 'g']) fs.writeFileSync(join(directory, 'source', name), 'old');
  const disk = fork(diskMain, [directory]);
  const events: DiskEvent[] = [];
  disk.on('message', (message) => events.push(message as DiskEvent));
  await waitFor('the disk', () => events.length > 0);
  // The session over it goes first, then the disk.
  const over: (() => Promise<void> | void)[] = [];
  context.after(async () => {
    disk.send({ fsync: 0 });
    for (const action of over) await action();
    const gone = new Promise((resolve) => disk.once('exit', resolve));
    disk.disconnect();
    await gone;
    for (const action of last) await action();
  });
  const rig = await mountedRig(
    { after: (action) => void over.push(action) },
    { ...options, source: join(directory, 'mount') },
  );
  return {
    rig,
    fsync: (answer) => void disk.send({ fsync: answer }),
    told: (kind) => events.filter((event) => event.kind === kind).map(({ ref }) => ref),
  };
}

const BOTH = { stream: 'on', by: 'stream', syncData: true } as const;
const WRITE = 'printf new | dd of=f conv=notrunc 2>/dev/null';

/** True while the promise has not settled. */
function pending(promise: Promise<unknown>): () => boolean {
  let isPending = true;
  void promise.finally(() => (isPending = false));
  return () => isPending;
}

test('with syncData a write waits for the local disk', { skip }, async (context) => {
  const { rig, fsync, told } = await stacked(context, { ...BOTH });
  fsync(null);
  const writer = rig.run(WRITE);
  const isPending = pending(writer);
  await waitFor('the disk to be asked', () => told('fsync').length > 0);
  await waitFor('the stream to be done', () => rig.ops('write').length === 1);
  assert.ok(isPending());
  assert.deepEqual(rig.waiting(), []);
  fsync(0);
  assert.equal((await writer).status, 0);
});

test('and for the stream as well', { skip }, async (context) => {
  const { rig, told } = await stacked(context, { ...BOTH, answer: () => null });
  const writer = rig.run(WRITE);
  const isPending = pending(writer);
  await waitFor('the disk to have it', () => told('fsync').length > 0);
  assert.ok(isPending());
  await waitFor('the change', () => rig.waiting().length === 1);
  rig.engine.complete(rig.waiting(), 0);
  assert.equal((await writer).status, 0);
});

test('a disk that fails is told, and its caller too', { skip }, async (context) => {
  const { rig, fsync } = await stacked(context, { ...BOTH });
  await rig.sh(WRITE);
  fsync(EIO);
  assert.notEqual((await rig.run(WRITE)).status, 0);
  await waitFor('the report', () => rig.syncErrors.length > 0);
  assert.deepEqual(new Set(rig.syncErrors), new Set([EIO]));
});

test("an application's own fsync, too", { skip }, async (context) => {
  const { rig, fsync, told } = await stacked(context, { stream: 'on', by: 'local' });
  await rig.sh('sync f');
  assert.equal(told('fsync').length, 1);
  fsync(EIO);
  const { status, output } = await rig.run('sync f');
  assert.notEqual(status, 0);
  assert.match(output, /Input\/output error/);
  await waitFor('the report', () => rig.syncErrors.length === 1);
});

test('an fdatasync asks the disk only for what is not on it', { skip }, async (context) => {
  const { rig, told } = await stacked(context, { ...BOTH });
  await rig.sh(WRITE);
  const before = told('fsync').length;
  assert.ok(before > 0);
  await rig.sh('sync -d f');
  assert.equal(told('fsync').length, before, 'the write has waited for the disk');
  rig.engine.setAnswer({ by: 'local', syncData: false });
  await rig.sh(`${WRITE}; sync -d f`);
  assert.equal(told('fsync').length, before + 1, 'this write has not');
});

test('a file whose sync failed is never taken for synced', { skip }, async (context) => {
  const { rig, fsync, told } = await stacked(context, { stream: 'on', by: 'local' });
  await rig.sh(WRITE);
  fsync(EIO);
  assert.notEqual((await rig.run('sync -d f')).status, 0);
  fsync(0);
  const before = told('fsync').length;
  await rig.sh('sync -d f; sync -d f');
  assert.equal(told('fsync').length, before + 2);
});

test('a new name is durable with the first write below it', { skip }, async (context) => {
  const { rig, told } = await stacked(context, { ...BOTH });
  // The first round starts with a syncfs, which FUSE does not hear of.
  await rig.sh(WRITE);
  const before = told('fsync').length;
  await rig.sh('mkdir d d/e && echo x > d/e/f');
  await waitFor('what was made', () => told('create').length === 3);
  const made = told('create');
  await waitFor('all of it durable', () => {
    const synced = new Set(told('fsync').slice(before));
    return [1, ...made].every((ref) => synced.has(ref));
  });
});

test('many writers share a round', { skip }, async (context) => {
  const { rig, fsync, told } = await stacked(context, { ...BOTH });
  // A round that hangs on another file; these come meanwhile, all of them direct and in parallel.
  fsync(null);
  const first = rig.run(WRITE.replace('of=f', 'of=g'));
  await waitFor('a round', () => told('fsync').length > 0);
  const before = told('fsync').length;
  const writers = Array.from({ length: 6 }, () => rig.run(WRITE));
  await waitFor('all writes', () => rig.ops('write').length === 7);
  fsync(0);
  const results = await Promise.all([first, ...writers]);
  assert.ok(results.every(({ status }) => status === 0));
  const file = told('write').at(-1);
  assert.equal(
    told('fsync')
      .slice(before)
      .filter((ref) => ref === file).length,
    1,
  );
});
