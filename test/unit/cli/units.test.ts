import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, countText, durationText, plural } from '../../../src/cli/units.js';

test('bytes', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [200 * 1024, '200 KiB'],
    [3 * 1024 ** 3, '3.0 GiB'],
    [5 * 1024 ** 6, '5120 PiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(bytesText(bytes), text);
});

test('counts', () => {
  assert.equal(countText(0), '0');
  assert.equal(countText(999), '999');
  assert.equal(countText(1000), '1,000');
  assert.equal(countText(1_234_567), '1,234,567');
  assert.equal(plural(1, 'file'), '1 file');
  assert.equal(plural(1000, 'file'), '1,000 files');
});

test('durations', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [59_940, '59.9 s'],
    [60_000, '1 min 0 s'],
    [400_000, '6 min 40 s'],
    [3_600_000, '1 h 0 min'],
    [90_000_000, '1 d 1 h'],
  ];
  for (const [ms, text] of cases) assert.equal(durationText(ms), text);
});
