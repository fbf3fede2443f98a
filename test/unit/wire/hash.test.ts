import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { hash32, hash64, hash64Parts, initHash } from '../../../src/wire/hash.js';

/** Test vectors of the xxHash specification's reference implementation, seed 0. */
describe('xxHash', () => {
  before(initHash);

  test('known values', () => {
    assert.equal(hash64(Buffer.from('')), 0xef46db3751d8e999n);
    assert.equal(hash64(Buffer.from('abc')), 0x44bc2cf5ad770999n);
    assert.equal(hash32(Buffer.from('')), 0x02cc5d05);
  });

  test('parts hash like the whole', () => {
    const whole = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251));
    const parts = [0, 1, 40, 41, 4000, 5000].map((to, at, all) =>
      whole.subarray(all[at - 1] ?? 0, to),
    );
    assert.equal(hash64Parts(parts), hash64(whole));
  });
});
