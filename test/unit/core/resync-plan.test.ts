/** Block sizes, the decision between another pass and the last one, and what progress may claim. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  blockSizeFor,
  depthOf,
  freezeHolds,
  joinPath,
  nextStep,
  RateWindow,
  secondsLeft,
  throttleLevel,
  type Left,
} from '../../../src/core/resync-plan.js';
import {
  MARKS_MAX,
  SYNC_FREEZE_BYTES_MAX,
  SYNC_FREEZE_MARKS_MAX,
  SYNC_FREEZE_READ_BYTES_MAX,
  SYNC_PASSES_FREE_MAX,
  SYNC_PASSES_MAX,
} from '../../../src/limits.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

test('blocks grow with the file, from 4 KiB to 1 MiB', () => {
  const cases: [number, number][] = [
    [0, 4 * KIB],
    [1, 4 * KIB],
    [256 * MIB, 4 * KIB],
    [256 * MIB + 1, 8 * KIB],
    [GIB, 16 * KIB],
    [64 * GIB, MIB],
    [1024 * GIB, MIB],
  ];
  for (const [size, block] of cases) assert.equal(blockSizeFor(size), block, `${size}`);
});

const left = (some: Partial<Left>): Left => ({
  ...{ marks: 0, changedBytes: 0, readBytes: 0, subtrees: 0 },
  ...some,
});

test('little left: the writers are held for it', () => {
  assert.equal(nextStep(1, left({})), 'freeze');
  const most = { marks: SYNC_FREEZE_MARKS_MAX, changedBytes: SYNC_FREEZE_BYTES_MAX };
  assert.equal(nextStep(1, left(most)), 'freeze');
});

test('much left: another pass, until the last', () => {
  for (const much of [
    { marks: SYNC_FREEZE_MARKS_MAX + 1 },
    { changedBytes: SYNC_FREEZE_BYTES_MAX + 1 },
  ]) {
    assert.equal(nextStep(1, left(much)), 'pass');
    assert.equal(nextStep(SYNC_PASSES_MAX - 1, left(much)), 'pass');
    assert.equal(nextStep(SYNC_PASSES_MAX, left(much)), 'freeze');
  }
});

test('work that never gets less is done with the writers held after the free passes', () => {
  for (const endless of [{ subtrees: 1 }, { readBytes: SYNC_FREEZE_READ_BYTES_MAX + 1 }]) {
    assert.equal(nextStep(1, left(endless)), 'pass');
    assert.equal(nextStep(SYNC_PASSES_FREE_MAX, left(endless)), 'freeze');
  }
});

test('more marks than are kept: everything again, even late', () => {
  assert.equal(nextStep(1, left({ marks: MARKS_MAX + 1 })), 'restart');
  assert.equal(nextStep(SYNC_PASSES_MAX, left({ marks: MARKS_MAX + 1 })), 'restart');
});

test('what turns up while the gate closes may be somewhat more', () => {
  assert.ok(freezeHolds(1, left({ marks: 2 * SYNC_FREEZE_MARKS_MAX })));
  assert.ok(!freezeHolds(1, left({ marks: 5 * SYNC_FREEZE_MARKS_MAX })));
  assert.ok(freezeHolds(SYNC_PASSES_MAX, left({ marks: 5 * SYNC_FREEZE_MARKS_MAX })));
});

test('writers are slowed only after the free passes, then ever more', () => {
  const levels = [1, SYNC_PASSES_FREE_MAX - 1, SYNC_PASSES_FREE_MAX, SYNC_PASSES_FREE_MAX + 3];
  assert.deepEqual(levels.map(throttleLevel), [0, 0, 1, 4]);
});

test('paths: depth and joining', () => {
  const depths = ['', 'a', 'a/b', 'aa/bb/cc'].map((path) => depthOf(Buffer.from(path)));
  assert.deepEqual(depths, [0, 1, 2, 3]);
  assert.equal(joinPath(Buffer.from(''), Buffer.from('x')).toString(), 'x');
  assert.equal(joinPath(Buffer.from('a/b'), Buffer.from('x')).toString(), 'a/b/x');
});

test('the rate is of the last seconds only', () => {
  const window = new RateWindow(5000);
  assert.deepEqual(window.sample(0, 0, 0), { bytes: 0, files: 0 });
  assert.deepEqual(window.sample(1000, 500, 10), { bytes: 500, files: 10 });
  for (let second = 2; second <= 6; second += 1) window.sample(second * 1000, 500, 10);
  const { bytes, files } = window.sample(7000, 500 + 6000, 10);
  assert.equal(Math.round(bytes), 1200);
  assert.equal(files, 0);
});

test('time left: the slower of files and bytes, or nothing said', () => {
  const rate = { bytes: 100, files: 10 };
  assert.equal(secondsLeft({ bytes: 1000, files: 1 }, rate), 10);
  assert.equal(secondsLeft({ bytes: 100, files: 200 }, rate), 20);
  assert.equal(secondsLeft({ bytes: 0, files: 0 }, rate), 0);
  assert.equal(secondsLeft({ bytes: 1, files: 0 }, { bytes: 0, files: 10 }), null);
  assert.equal(secondsLeft({ bytes: 0, files: 5 }, { bytes: 0, files: 0 }), null);
});
