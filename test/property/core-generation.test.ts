/**
 * No copy is overwritten that has changes the source lacks: every order of events of a small world,
 * up to a depth, and long random ones (generation-world.ts says what a world is and where it
 * checks).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIONS, World, type Step } from './generation-world.js';

const STEPS: readonly Step[] = ACTIONS.flatMap((action) => [
  [action, 0] as const,
  [action, 1] as const,
]);
/** A whole resync as one step of the plan: most random plans would never get through one. */
const fullSync = (at: 0 | 1): readonly Step[] => [
  ['connect', at],
  ['begin', at],
  ['share', at],
  ['adopt', at],
  ['synced', at],
];
const BIRTH: readonly Step[] = [['mount', 0], ['serve', 1], ...fullSync(0)];

/** A world that never gets to a case proves nothing about it. */
function assertReached(decisions: ReadonlyMap<string, number>, rules: readonly string[]): void {
  for (const rule of rules) {
    assert.ok(
      (decisions.get(rule) ?? 0) > 0,
      `reached: ${rule} in ${JSON.stringify([...decisions])}`,
    );
  }
}

const USUAL = [
  'full-resync same-generation',
  'full-resync peer-was-base',
  'full-resync unfinished-resync',
  'refuse source-older',
  'refuse split-brain',
  'refuse two-primaries',
];

/** Breadth first over everything that can happen; worlds that are equal but for names are one. */
function explore(start: readonly Step[], depth: number, changesMax: number) {
  const decisions = new Map<string, number>();
  const first = new World(decisions);
  for (const step of start) first.step(step);
  const seen = new Set([first.key()]);
  let layer = [first];
  for (let i = 0; i < depth && layer.length > 0; i += 1) {
    const next: World[] = [];
    for (const world of layer) {
      for (const step of STEPS) {
        if (step[0] === 'change' && world.changes >= changesMax) continue;
        const after = world.copy();
        after.step(step);
        const key = after.key();
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(after);
      }
    }
    layer = next;
  }
  return { decisions, worlds: seen.size };
}

test('every order of events from an established mirror', () => {
  const { decisions, worlds } = explore(BIRTH, 18, 4);
  assert.ok(worlds > 1000, `${worlds} worlds`);
  assertReached(decisions, USUAL);
});

test('every order of events from nothing', () => {
  const { decisions } = explore([], 22, 3);
  assertReached(decisions, ['full-resync first-sync-over-existing']);
});

const any = fc.constantFrom(...STEPS).map((step) => [step] as readonly Step[]);
const macro = fc.constantFrom<readonly Step[]>(
  fullSync(0),
  fullSync(1),
  [
    ['kill', 0],
    ['promote', 1],
    ['change', 1],
    ['serve', 0],
  ],
  [
    ['kill', 1],
    ['promote', 0],
    ['change', 0],
    ['serve', 1],
  ],
  [
    ['cut', 0],
    ['change', 0],
    ['change', 1],
  ],
  [
    ['connect', 0],
    ['begin', 0],
    ['copy-half', 0],
  ],
  [
    ['connect', 1],
    ['begin', 1],
    ['copy-half', 1],
  ],
  [
    ['stop', 0],
    ['serve', 0],
  ],
  [
    ['stop', 1],
    ['serve', 1],
  ],
);
const plans = fc.array(fc.oneof({ weight: 2, arbitrary: any }, { weight: 3, arbitrary: macro }), {
  minLength: 2,
  maxLength: 60,
  size: 'max',
});

test('long random histories', () => {
  const decisions = new Map<string, number>();
  fc.assert(
    fc.property(plans, (plan) => {
      const world = new World(decisions);
      for (const step of [...BIRTH, ...plan.flat()]) world.step(step);
    }),
    { numRuns: 3000 },
  );
  // 'peer-in-history' needs a node restored from a backup, which these worlds do not have.
  assertReached(decisions, [...USUAL, 'refuse unrelated']);
});
