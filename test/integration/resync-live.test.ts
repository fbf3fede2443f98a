/**
 * The source changes while it is brought over: creates, writes, renames, links, removals and
 * attributes all the time, until the writers are held. At the end both trees are equal, whatever
 * came in between.
 */
import { strict as assert } from 'node:assert';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeLive } from '../helpers/live-resync.js';
import { missing } from '../helpers/requires.js';
import { findDifferences } from '../helpers/tree-compare.js';

const skip = missing({ root: true, addon: true, commands: ['getfattr'] });

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`random changes during the resync, seed ${seed}`, { skip }, async (t) => {
    const live = makeLive(t, seed, 400);
    const { passes, freezes } = await live.run(() => live.mutator.step());
    assert.deepEqual(findDifferences(live.source, live.target), []);
    assert.ok(passes >= 2 && freezes >= 1);
  });
}

test('a second resync of a diverged target while changes go on', { skip }, async (t) => {
  const live = makeLive(t, 77, 300);
  await live.run(() => live.mutator.step());
  for (let index = 0; index < 200; index += 1) live.mutator.step();
  live.tree.takeMarks();
  await live.run(() => live.mutator.step());
  assert.deepEqual(findDifferences(live.source, live.target), []);
});

test('a file renamed over another of the same size and times', { skip }, async (t) => {
  const live = makeLive(t, 1, 0);
  live.tree.write('a', 0, Buffer.from('old content'));
  live.tree.write('b', 0, Buffer.from('new content'));
  for (const name of ['a', 'b']) live.tree.utimes(name, 1000);
  live.tree.takeMarks();
  let renamed = false;
  await live.run(() => {
    if (renamed || !fs.existsSync(join(live.target, 'b'))) return;
    renamed = true;
    live.tree.rename('b', 'a');
  });
  assert.ok(renamed);
  assert.equal(fs.readFileSync(join(live.target, 'a'), 'utf8'), 'new content');
  assert.deepEqual(findDifferences(live.source, live.target), []);
});

test('a file linked after its first name was brought', { skip }, async (t) => {
  const live = makeLive(t, 1, 0);
  live.tree.mkdir('d');
  live.tree.write('d/first', 0, Buffer.from('one inode'));
  live.tree.takeMarks();
  let linked = false;
  await live.run(() => {
    if (linked || !fs.existsSync(join(live.target, 'd/first'))) return;
    linked = true;
    live.tree.link('d/first', 'second');
  });
  assert.ok(linked);
  assert.deepEqual(findDifferences(live.source, live.target), []);
});

test('a directory moved with everything in it', { skip }, async (t) => {
  const live = makeLive(t, 1, 0);
  live.tree.mkdir('d');
  live.tree.mkdir('d/e');
  for (let index = 0; index < 50; index += 1) {
    live.tree.write(`d/e/f${index}`, 0, Buffer.alloc(3000, index + 1));
  }
  live.tree.mkdir('x');
  live.tree.takeMarks();
  let moved = false;
  await live.run(() => {
    if (moved || !fs.existsSync(join(live.target, 'd/e/f9'))) return;
    moved = true;
    live.tree.rename('d', 'x/moved');
  });
  assert.ok(moved);
  assert.deepEqual(findDifferences(live.source, live.target), []);
});

test('writers that never rest are slowed, then held', { skip }, async (t) => {
  const live = makeLive(t, 9, 50);
  for (let index = 0; index < 700; index += 1) live.tree.write(`f${index}`, 0, Buffer.from('x'));
  live.tree.takeMarks();
  // More marks per pass than may be left for the last one: every file, all the time.
  let count = 0;
  const result = await live.run(() => {
    for (let index = 0; index < 700; index += 1) {
      live.tree.write(`f${index}`, 0, Buffer.from(`${(count += 1)}`));
    }
  });
  assert.deepEqual(findDifferences(live.source, live.target), []);
  assert.ok(
    result.levels.some((level) => level >= 2),
    `levels ${result.levels.join()}`,
  );
  assert.equal(result.levels.at(-1), 0);
});
