import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberRing } from '../../../src/core/ring.js';

test('first in, first out, over many doublings and wrap-arounds', () => {
  const ring = new NumberRing();
  let next = 0;
  let oldest = 0;
  for (const [pushes, shifts] of [
    [200, 150],
    [5000, 10],
    [3, 5000],
    [20_000, 20_043],
  ] as const) {
    for (let i = 0; i < pushes; i += 1) ring.push(next++);
    for (let i = 0; i < shifts; i += 1) assert.equal(ring.shift(), oldest++);
    assert.equal(ring.length, next - oldest);
  }
  assert.equal(ring.length, 0);
});

test('an index outside is a bug and says so', () => {
  const ring = new NumberRing();
  assert.throws(() => ring.shift(), /in range/);
  ring.push(1);
  assert.equal(ring.at(0), 1);
  assert.throws(() => ring.at(1), /in range/);
  ring.clear();
  assert.throws(() => ring.at(0), /in range/);
});
