/** wait-for.ts: gives the value, outlives errors, names what it waited for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { waitFor } from '../../helpers/wait-for.js';

test('returns the first truthy value and treats errors as "not yet"', async () => {
  let calls = 0;
  const value = await waitFor(
    'the third call',
    () => {
      calls += 1;
      if (calls === 1) throw new Error('too early');
      return calls === 3 ? 'here' : null;
    },
    { everyMs: 1 },
  );
  assert.equal(value, 'here');
  assert.equal(calls, 3);
});

test('at the deadline says what it waited for and what it saw last', async () => {
  await assert.rejects(
    waitFor('the flood', () => false, { timeoutMs: 20, everyMs: 1 }),
    /waited 20 ms for the flood; last value: false/,
  );
  await assert.rejects(
    waitFor('the flood', () => Promise.reject(new Error('dry')), { timeoutMs: 20, everyMs: 1 }),
    /last error: dry/,
  );
});
