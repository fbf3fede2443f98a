/** The small parts of the resync: zero runs, lanes, queue, replies, window, link groups, marks. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SYNC_FILES_QUEUE_MAX, SYNC_WINDOW_BYTES_MAX } from '../../../src/limits.js';
import { FileReplies } from '../../../src/resync/file-replies.js';
import { inLanes } from '../../../src/resync/lanes.js';
import { SourceChannel } from '../../../src/resync/source-channel.js';
import type { FileJob, FileOutcome } from '../../../src/resync/source-file.js';
import { FileQueue } from '../../../src/resync/source-files.js';
import { zeroRuns } from '../../../src/resync/zero-runs.js';
import type { FileHashes } from '../../../src/wire/messages.js';

test('runs of zeros and of data, joined', () => {
  const data = Buffer.alloc(10 * 16);
  data.fill(1, 16, 48);
  data[9 * 16 + 15] = 1;
  assert.deepEqual(zeroRuns(data, 16), [
    { offset: 0, length: 16, zero: true },
    { offset: 16, length: 32, zero: false },
    { offset: 48, length: 96, zero: true },
    { offset: 144, length: 16, zero: false },
  ]);
  assert.deepEqual(zeroRuns(Buffer.alloc(20), 16), [{ offset: 0, length: 20, zero: true }]);
  assert.deepEqual(zeroRuns(Buffer.alloc(0), 16), []);
});

test('lanes: no more at once than said, all done, the first error when all have settled', async () => {
  let active = 0;
  let most = 0;
  const done: number[] = [];
  await inLanes(3, [1, 2, 3, 4, 5, 6, 7][Symbol.iterator](), async (item) => {
    active += 1;
    most = Math.max(most, active);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
    done.push(item);
  });
  assert.equal(most, 3);
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5, 6, 7]);
  let settled = 0;
  const failing = inLanes(2, [1, 2, 3, 4][Symbol.iterator](), async (item) => {
    if (item === 1) throw new Error('first');
    await new Promise((resolve) => setImmediate(resolve));
    settled += 1;
  });
  await assert.rejects(failing, /first/);
  assert.equal(settled, 1);
});

const job = (path: string, size = 1): FileJob => ({
  ...{ path: Buffer.from(path), meta: null, size, fresh: false, what: 'content' },
});
const DONE: FileOutcome = { how: 'done', size: 1, changedBytes: 0 };

test('the file queue bounds what is open, holds the walk back, and tells its first error', async () => {
  const open: (() => void)[] = [];
  let settled = 0;
  const transfer = (): Promise<FileOutcome> =>
    new Promise((resolve) => open.push(() => resolve(DONE)));
  const queue = new FileQueue(transfer, () => (settled += 1));
  for (let index = 0; index < SYNC_FILES_QUEUE_MAX + 40; index += 1) queue.add(job(`${index}`));
  assert.equal(open.length, 32);
  let room = false;
  const waiting = queue.room().then(() => (room = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(room, false);
  const idle = queue.idle();
  while (settled < SYNC_FILES_QUEUE_MAX + 40) {
    for (const finish of open.splice(0)) finish();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([waiting, idle]);
  assert.equal(room, true);
  const broken = new FileQueue(
    () => Promise.reject(new Error('disk')),
    () => undefined,
  );
  broken.add(job('a'));
  await assert.rejects(broken.idle(), /disk/);
  await assert.rejects(broken.room(), /disk/);
});

test('large files go a few at a time, small ones do not wait for them', () => {
  const started: string[] = [];
  const queue = new FileQueue(
    ({ path }) => {
      started.push(path.toString());
      return new Promise<FileOutcome>(() => undefined);
    },
    () => undefined,
  );
  for (let index = 0; index < 8; index += 1) queue.add(job(`big${index}`, 1e9));
  queue.add(job('small'));
  assert.deepEqual(started, ['big0', 'big1', 'big2', 'big3', 'small']);
});

const hashesOf = (firstBlock: number, hashes: bigint[], last: boolean): FileHashes => {
  const bytes = Buffer.alloc(hashes.length * 8);
  hashes.forEach((hash, index) => bytes.writeBigUInt64LE(hash, index * 8));
  const rest = { last, size: 5 * 4096, problem: null };
  return { type: 'fileHashes', id: 1, firstBlock, hashes: bytes, ...rest };
};

test('hashes of the target are waited for, compared, and missing ones differ', async () => {
  const replies = new FileReplies(4);
  let reached = false;
  const waiting = replies.reach(3).then(() => (reached = true));
  replies.hashes(hashesOf(0, [1n, 2n], false));
  await Promise.resolve();
  assert.equal(reached, false);
  replies.hashes(hashesOf(2, [3n, 4n, 5n], true));
  await waiting;
  const own = Buffer.alloc(16);
  own.writeBigUInt64LE(2n, 0);
  own.writeBigUInt64LE(2n ** 63n + 3n, 8);
  assert.equal(replies.differs(1, own, 0), false);
  assert.equal(replies.differs(2, own, 8), true);
  assert.equal(replies.differs(4, own, 0), true);
  assert.equal(replies.targetSize, 5 * 4096);
  const finished = replies.finished();
  replies.done({ type: 'fileDone', id: 1, problem: null });
  assert.equal((await finished).problem, null);
});

test('an end of the file ends every wait for hashes; a failure rejects them', async () => {
  const ended = new FileReplies(100);
  const waiting = ended.reach(100);
  ended.done({ type: 'fileDone', id: 1, problem: { errno: 28, text: 'full', missing: false } });
  await waiting;
  assert.equal(ended.answer?.problem?.errno, 28);
  const broken = new FileReplies(100);
  const waits = [broken.reach(1), broken.finished()];
  broken.failed(new Error('cut'));
  for (const wait of waits) await assert.rejects(wait, /cut/);
  await assert.rejects(broken.reach(1), /cut/);
});

test('the window: room is given in order, by credit, and not while the socket is full', async () => {
  let full = false;
  const channel = new SourceChannel({ send: () => !full });
  await channel.reserve(SYNC_WINDOW_BYTES_MAX - 10);
  const order: string[] = [];
  const large = channel.reserve(100).then(() => order.push('large'));
  const small = channel.reserve(1).then(() => order.push('small'));
  channel.handle({ type: 'syncCredit', bytes: 50 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(order.length, 0);
  channel.handle({ type: 'syncCredit', bytes: 50 });
  await Promise.all([large, small]);
  assert.deepEqual(order, ['large', 'small']);
  full = true;
  channel.send({ type: 'fileClose', id: 1, meta: {} as never });
  const held = channel.reserve(0).then(() => order.push('held'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(order.length, 2);
  full = false;
  channel.drained();
  await held;
});

test('answers nobody asked for end the conversation, and everybody is told', async () => {
  const channel = new SourceChannel({ send: () => true });
  const waits = [channel.directory(1), channel.stored(), channel.reserve(1e9)];
  const result = { fresh: [], stale: [], linked: [], removed: 0, problem: null };
  channel.handle({ type: 'dirResult', id: 2, ...result });
  for (const wait of waits) await assert.rejects(wait, { code: 'bad-message' });
  assert.throws(() => channel.send({ type: 'ping', number: 1 }), { code: 'bad-message' });
  const generous = new SourceChannel({ send: () => true });
  generous.handle({ type: 'syncCredit', bytes: 1 });
  assert.ok(generous.failed);
});
