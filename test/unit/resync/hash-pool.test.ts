/**
 * The hash workers: right hashes and data, errors by name, batches, an end that leaves nothing
 * behind.
 */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import xxhash from 'xxhash-wasm';
import { systemTimers } from '../../../src/io/system-clock.js';
import { HashPool } from '../../../src/resync/hash-pool.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';

const { h64Raw } = await xxhash();
const BLOCK = 4096;

function expected(data: Buffer, blockSize: number): Buffer {
  const hashes = Buffer.alloc(Math.ceil(data.length / blockSize) * 8);
  for (let offset = 0; offset < data.length; offset += blockSize) {
    const hash = h64Raw(data.subarray(offset, offset + blockSize), 0n);
    hashes.writeBigUInt64LE(hash, (offset / blockSize) * 8);
  }
  return hashes;
}

function open(context: TestContext, data: Buffer): number {
  const path = join(tempDir(context, 'hash'), 'file');
  fs.writeFileSync(path, data);
  const fd = fs.openSync(path, 'r');
  context.after(() => fs.closeSync(fd));
  return fd;
}

function makePool(context: TestContext): HashPool {
  const pool = new HashPool(systemTimers);
  context.after(() => pool.close());
  return pool;
}

test('hashes, data, or both, of any range', async (t) => {
  const data = randomBytes(3 * 1024 * 1024 + 777);
  const fd = open(t, data);
  const pool = makePool(t);
  const all = { fd, offset: 0, length: data.length };
  const hashed = await pool.run({ ...all, blockSize: BLOCK, wantData: false });
  assert.equal(hashed.bytes, data.length);
  assert.deepEqual(hashed.hashes, expected(data, BLOCK));
  assert.equal(hashed.data.length, 0);
  const read = await pool.run({ ...all, blockSize: 0, wantData: true });
  assert.ok(read.data.equals(data));
  assert.equal(read.hashes.length, 0);
  const part = { fd, offset: 5 * BLOCK, length: 3 * BLOCK, blockSize: BLOCK, wantData: true };
  const both = await pool.run(part);
  const slice = data.subarray(5 * BLOCK, 8 * BLOCK);
  assert.ok(both.data.equals(slice));
  assert.deepEqual(both.hashes, expected(slice, BLOCK));
});

test('a block size that does not divide the read buffer', async (t) => {
  const data = randomBytes(2_500_000);
  const fd = open(t, data);
  const blockSize = 1000 * 8;
  const job = { fd, offset: 0, length: data.length, blockSize, wantData: false };
  assert.deepEqual((await makePool(t).run(job)).hashes, expected(data, blockSize));
});

test('the end of the file ends the answer', async (t) => {
  const data = randomBytes(10_000);
  const fd = open(t, data);
  const pool = makePool(t);
  for (const wantData of [false, true]) {
    const job = { fd, offset: 0, length: 50_000, blockSize: BLOCK, wantData };
    const result = await pool.run(job);
    assert.equal(result.bytes, 10_000);
    assert.deepEqual(result.hashes, expected(data, BLOCK));
    assert.equal(result.data.length, wantData ? 10_000 : 0);
  }
  const beyond = { fd, offset: 20_000, length: 10, blockSize: BLOCK, wantData: true };
  assert.equal((await pool.run(beyond)).bytes, 0);
});

test('many jobs at once, each with its own answer', async (t) => {
  const datas = Array.from({ length: 200 }, (_, index) => randomBytes(index * 50));
  const fds = datas.map((data) => open(t, data));
  const pool = makePool(t);
  const results = await Promise.all(
    datas.map((data, index) =>
      pool.run({
        ...{ fd: fds[index] ?? -1, offset: 0, length: data.length },
        ...{ blockSize: BLOCK, wantData: true },
      }),
    ),
  );
  results.forEach((result, index) => {
    const data = datas[index] ?? Buffer.alloc(0);
    assert.ok(result.data.equals(data), `data ${index}`);
    assert.deepEqual(result.hashes, expected(data, BLOCK));
  });
});

test('a read error rejects that job only', async (t) => {
  const good = open(t, Buffer.from('good'));
  const directory = fs.openSync(tempDir(t, 'hash'), 'r');
  t.after(() => fs.closeSync(directory));
  const pool = makePool(t);
  const job = { offset: 0, length: 4, blockSize: BLOCK, wantData: true };
  const [bad, fine] = await Promise.allSettled([
    pool.run({ ...job, fd: directory }),
    pool.run({ ...job, fd: good }),
  ]);
  assert.equal(bad.status, 'rejected');
  const { code, errno } = bad.reason as NodeJS.ErrnoException;
  assert.equal(code, 'EISDIR');
  assert.equal(Math.abs(errno ?? 0), 21);
  assert.equal(fine.status, 'fulfilled');
});

test('workers start with the first job and end when idle', async (t) => {
  const fd = open(t, Buffer.from('x'));
  // Idle time that a test can wait for.
  const pool = new HashPool({ ...systemTimers, setTimer: (_, fn) => systemTimers.setTimer(1, fn) });
  t.after(() => pool.close());
  assert.equal(pool.workers, 0);
  const job = { fd, offset: 0, length: 1, blockSize: BLOCK, wantData: false };
  await pool.run(job);
  await waitFor('the workers to end', () => pool.workers === 0);
  assert.equal((await pool.run(job)).bytes, 1);
});

test('closing answers what has started, rejects what has not, and ends', async (t) => {
  const fd = open(t, randomBytes(1_000_000));
  const pool = new HashPool(systemTimers, 1);
  const job = { fd, offset: 0, length: 1_000_000, blockSize: BLOCK, wantData: true };
  const results = Array.from({ length: 20 }, () => pool.run(job));
  const settled = Promise.allSettled(results);
  await Promise.resolve();
  await pool.close();
  const statuses = (await settled).map(({ status }) => status);
  assert.equal(statuses[0], 'fulfilled');
  assert.equal(statuses.at(-1), 'rejected');
  assert.equal(pool.workers, 0);
  await assert.rejects(pool.run(job), { code: 'resync-ended' });
});
