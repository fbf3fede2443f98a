import assert from 'node:assert/strict';
import { constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkMark } from '../../../src/core/root-mark.js';
import { NO_ID } from '../../../src/core/types.js';
import { native } from '../../../src/io/native.js';
import { RecordStore } from '../../../src/io/record-store.js';
import {
  decodeMark,
  encodeMark,
  rootMarkPlace,
  RootMarks,
  storeRecord,
  type MarkPlace,
} from '../../../src/io/root-mark.js';
import { systemDisk } from '../../../src/io/system-disk.js';
import type { NodeRecord, RootMark } from '../../../src/io/record-types.js';
import { fresh, id, MIRROR, record, secondary } from '../core/fixtures.js';
import { missing } from '../../helpers/requires.js';

/** open(2); Node has no name for it. */
const O_PATH = 0o10000000;

const mark: RootMark = { mirror: MIRROR, node: id('1'), current: id('c0'), next: NO_ID };

/**
 * A place in memory; `budget` writes succeed (of mark and record together), then everything fails:
 * a crash.
 */
function world(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'twinfs-t-mark-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const state = { budget: Infinity, value: null as Buffer | null };
  const spend = (): void => {
    if (state.budget-- <= 0) throw new Error('crashed');
  };
  const place: MarkPlace = {
    get: async () => state.value,
    async set(value) {
      spend();
      state.value = value;
    },
  };
  const store = new RecordStore(directory, {
    ...systemDisk,
    async create(label, path) {
      spend();
      return systemDisk.create(label, path);
    },
  });
  return { state, store, marks: new RootMarks(place, '/srv/data') };
}

test('a mark survives the way there and back, and every damage is noticed', () => {
  const value = encodeMark(mark);
  assert.deepEqual(decodeMark(value, '/srv/data'), mark);
  for (let i = 0; i < value.length; i += 1) {
    const flipped = Buffer.from(value);
    flipped[i] = (flipped[i] ?? 0) ^ 1;
    assert.throws(() => decodeMark(flipped, '/srv/data'), { code: 'mark-torn' });
    assert.throws(() => decodeMark(value.subarray(0, i), '/srv/data'), { code: 'mark-torn' });
  }
});

test('reading and writing failures are named', async () => {
  const broken: MarkPlace = {
    get: () => Promise.reject(new Error('EIO')),
    set: () => Promise.reject(new Error('EOPNOTSUPP')),
  };
  const marks = new RootMarks(broken, '/srv/data');
  await assert.rejects(marks.read(), { code: 'mark-unreadable' });
  await assert.rejects(marks.write(mark), { code: 'mark-unwritable', message: /EOPNOTSUPP/ });
});

test('record and mark agree after each change of ids, whatever a crash leaves of it', async (t) => {
  const changes: readonly (readonly [NodeRecord | null, NodeRecord])[] = [
    [null, record()],
    [record(), record({ current: id('c1'), wentAlone: true })],
    [fresh(), secondary({ current: NO_ID })],
    [secondary(), secondary({ current: NO_ID })],
    [secondary({ current: NO_ID }), secondary({ current: id('c1') })],
  ];
  for (const [before, next] of changes) {
    for (const budget of [0, 1, 2, Infinity]) {
      const { state, store, marks } = world(t);
      if (before !== null) await storeRecord(store, marks, null, before);
      state.budget = budget;
      const stored = storeRecord(store, marks, before, next);
      if (budget === Infinity) await stored;
      else await assert.rejects(stored);
      const check = checkMark(await store.load(), await marks.read(), '/srv/data');
      assert.equal(check.problem, null, `${String(before?.current)} → ${next.current}, ${budget}`);
    }
  }
});

test(
  'a real directory, through an O_PATH descriptor as through any other',
  { skip: missing({ root: true, addon: true }) },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'twinfs-t-mark-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    for (const flags of [O_PATH | constants.O_DIRECTORY, constants.O_RDONLY]) {
      const fd = native().open(Buffer.from(directory), flags, 0);
      t.after(() => native().close(fd));
      const marks = new RootMarks(rootMarkPlace(fd), directory);
      if (flags !== constants.O_RDONLY) assert.equal(await marks.read(), null);
      await marks.write({ ...mark, next: id('c9') });
      assert.deepEqual(await marks.read(), { ...mark, next: id('c9') });
    }
  },
);

test('the mark is written only when the ids change', async (t) => {
  const { state, store, marks } = world(t);
  await storeRecord(store, marks, null, record());
  state.value = null;
  await storeRecord(store, marks, record(), record({ clean: true }));
  assert.equal(state.value, null);
  await storeRecord(store, marks, null, record({ clean: true }));
  assert.deepEqual(await marks.read(), mark);
});

test('a directory without a mirror gets no mark', async (t) => {
  const { store, marks } = world(t);
  await storeRecord(store, marks, null, fresh());
  assert.equal(await marks.read(), null);
  assert.deepEqual(await store.load(), fresh());
});
