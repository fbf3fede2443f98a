/** Marks: while a resync runs, what changed is remembered, and is found by its name of the day. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountedRig, skip, type Rig } from './session-rig.js';

const prepare = (source: string): void => {
  for (const name of ['a', 'b']) fs.mkdirSync(join(source, name));
  for (const name of ['a/f', 'a/g', 'b/h']) fs.writeFileSync(join(source, name), name);
  fs.linkSync(join(source, 'b/h'), join(source, 'b/other'));
};

/** "path: bits" of the marks taken now, sorted; d data, a attributes, e entries. */
function marks(rig: Rig): string[] {
  return rig.engine
    .takeMarks()
    .map(({ ref, data, attributes, entries }) => {
      const bits = [data && 'd', attributes && 'a', entries && 'e'].filter(Boolean).join('');
      return `${rig.engine.pathOf(ref)?.toString() ?? '(nameless)'}: ${bits}`;
    })
    .sort();
}

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['echo x >> a/f', ['a/f: d']],
  ['truncate -s 1 a/f', ['a/f: d']],
  ['fallocate -l 10000 a/f', ['a/f: d']],
  ['chmod 600 a/f', ['a/f: a']],
  ['chown 5 a/f', ['a/f: a']],
  ['touch -d 2001-01-01 a/f', ['a/f: a']],
  ['setfattr -n user.x -v y a/f', ['a/f: a']],
  ['mkdir a/new', ['a/new: da', 'a: e']],
  ['echo x > a/file', ['a/file: da', 'a: e']],
  ['rm a/g', ['a: e']],
  ['mv b/h a/h', ['a/h: d', 'a: e', 'b: e']],
  ['mv a c', [': e', 'c: d']],
  ['ln b/h a/link', ['a: e', 'b: e']],
  // An inode that keeps another name; the root when the engine does not know that name.
  ['stat b/other; rm b/h', ['b/other: da', 'b: e']],
  ['rm b/h', [': da', 'b: e']],
  ['stat b/other; mv -f a/f b/h', ['a: e', 'b/h: d', 'b/other: da', 'b: e']],
  ['cat a/f; ls -la a; stat b', []],
];

for (const [script, expected] of CASES) {
  test(`marks of: ${script}`, { skip }, async (context) => {
    const rig = await mountedRig(context, { stream: 'track', prepare });
    await rig.sh(script);
    assert.deepEqual(marks(rig), [...expected]);
    assert.deepEqual(marks(rig), []);
    assert.deepEqual(rig.changes, []);
  });
}

test('a mark follows its inode to another name, and may be put back', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'track', prepare });
  await rig.sh('echo x >> a/f');
  const taken = rig.engine.takeMarks();
  await rig.sh('mv a/f b/moved');
  marks(rig);
  for (const mark of taken) rig.engine.addMark(mark);
  assert.deepEqual(marks(rig), ['b/moved: d']);
});

test('an inode that lost its name has no path', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'track', prepare });
  await rig.sh('echo x >> a/f; rm a/f');
  assert.deepEqual(marks(rig), ['(nameless): d', 'a: e']);
  assert.equal(rig.engine.pathOf(4_000_000), null);
  assert.equal(rig.engine.pathOf(1)?.toString(), '');
});

test('marks end with the tracking', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'track', prepare });
  await rig.sh('echo x >> a/f');
  rig.engine.setStream('on');
  assert.deepEqual(marks(rig), []);
  rig.engine.setStream('track');
  assert.deepEqual(marks(rig), []);
});
