import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FEATURES, PROTOCOL_VERSION, refusal } from '../../../src/wire/handshake.js';

const own = { protocol: PROTOCOL_VERSION, features: FEATURES, software: 'twinfs 9.9.9' };

describe('is the peer understood', () => {
  test('the same version is', () => {
    assert.equal(refusal(own), null);
  });

  for (const protocol of [PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1]) {
    test(`protocol ${protocol} is not, and both versions are named`, () => {
      const refused = refusal({ ...own, protocol });
      assert.equal(refused?.code, 'wrong-version');
      assert.match(refused?.text ?? '', /twinfs 9\.9\.9/);
      assert.match(refused?.text ?? '', new RegExp(`protocol ${protocol}\\b`));
      assert.match(refused?.text ?? '', new RegExp(`protocol ${PROTOCOL_VERSION}\\b`));
    });
  }

  test('a feature needed by the peer and unknown here is refused, and named', () => {
    const refused = refusal({ ...own, features: 1n << 40n });
    assert.equal(refused?.code, 'unknown-features');
    assert.match(refused?.text ?? '', /0x10000000000/);
  });

  test('features known here are no reason, used or not', () => {
    const here = { protocol: PROTOCOL_VERSION, features: 0b110n };
    assert.equal(refusal({ ...own, features: 0b100n }, here), null);
    assert.equal(refusal({ ...own, features: 0n }, here), null);
    assert.match(refusal({ ...own, features: 0b101n }, here)?.text ?? '', /0x1 /);
  });
});
