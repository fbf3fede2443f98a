/**
 * kill -9 of the whole primary under load, short form (`npm run show:kill` does 20 rounds a mode):
 * no acknowledged commit is missing after the promotion, and the old primary, brought back as the
 * target, ends equal.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_PATTERNS } from '../helpers/commit-log.js';
import { killPrimaryRound } from '../helpers/kill-round.js';
import { missing } from '../helpers/requires.js';

const needs = { skip: missing({ fuse: true, addon: true }) };

describe('the primary is killed under load', needs, () => {
  for (const mode of ['sync', 'semi-sync'] as const) {
    for (const extraMs of [0, 137]) {
      test(`${mode}, ${extraMs} ms later`, async (t) => {
        const options = { mode, commits: 15, extraMs, failback: true };
        const { verdict } = await killPrimaryRound(t, options);
        assert.deepEqual(verdict.missing, []);
        assert.ok(verdict.acknowledged >= 15 * DEFAULT_PATTERNS.length);
      });
    }
  }

  test('async: only the tail of each thread is lost, without holes', async (t) => {
    const options = { mode: 'async', commits: 15, extraMs: 50, failback: true } as const;
    const { verdict } = await killPrimaryRound(t, options);
    assert.ok(verdict.acknowledged > 0);
    for (const [thread, numbers] of lostNumbers(verdict.missing)) {
      const span = Math.max(...numbers) - Math.min(...numbers) + 1;
      assert.equal(span, numbers.length, `${thread} lost ${numbers.join(' ')}`);
    }
  });
});

/** Numbers of the lost commits by thread, from the lines of the verdict. */
function lostNumbers(lines: readonly string[]): Map<string, number[]> {
  const byThread = new Map<string, number[]>();
  for (const line of lines) {
    const [, thread, number] = /^(\w+ thread \d+) place \d+ commit (\d+)/.exec(line) ?? [];
    assert.ok(thread !== undefined, `a line of the verdict: ${line}`);
    byThread.set(thread, [...(byThread.get(thread) ?? []), Number(number)]);
  }
  return byThread;
}
