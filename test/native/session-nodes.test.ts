/**
 * Many inodes: known by handle, a bounded number of descriptors, nothing lost when they are closed.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountedRig, skip } from './session-rig.js';

const FILES = 20_000;
const FOLDERS = 20;
/** PATH_DESCRIPTORS of the session, and one more in each of its shards. */
const DESCRIPTORS_MAX = 16_384 + 64;

function prepare(source: string): void {
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    fs.mkdirSync(join(source, `d${folder}`));
    for (let file = 0; file < FILES / FOLDERS; file += 1) {
      fs.writeFileSync(join(source, `d${folder}/f${file}`), `${folder} ${file}`);
    }
  }
}

test('descriptors are bounded, inodes are not', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', prepare });
  assert.equal(await rig.sh('find . -type f -size -100k | wc -l'), `${FILES}\n`);
  const { inodes, descriptors } = rig.engine.counters();
  assert.ok(inodes >= FILES, `${inodes} inodes known`);
  assert.ok(descriptors <= DESCRIPTORS_MAX, `${descriptors} descriptors`);
  // The first ones seen have lost their descriptors by now.
  assert.equal(await rig.sh('cat d0/f0 d5/f7 d19/f999'), '0 05 719 999');
  await rig.sh('echo more >> d0/f1 && chmod 600 d1/f1 && mv d2/f1 d3/renamed && rm d4/f1');
  await rig.sh('ln d5/f1 d6/linked && test $(stat -c %h d5/f1) = 2');
  assert.equal(fs.readFileSync(join(rig.source, 'd0/f1'), 'utf8'), '0 1more\n');
  assert.equal(fs.readFileSync(join(rig.source, 'd3/renamed'), 'utf8'), '2 1');
  const removed = await rig.sh('rm -rf d7 d8 && find . | wc -l');
  assert.equal(Number(removed), FILES - 2000 + FOLDERS - 2 + 1);
});

test('an inode number given anew is a new inode', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream' });
  // ext4 gives the number of a removed file to the next one; the first is still open.
  await rig.sh(
    'for i in $(seq 200); do echo $i > f; exec 3< f; rm f; echo new $i > f; read x <&3; test "$x" = $i || exit 1; test "$(cat f)" = "new $i" || exit 2; rm f; done',
  );
  const refs = rig.ops('create').map(({ ref }) => ref);
  assert.equal(new Set(refs).size, 400);
});

test(
  'a directory can be read while it changes, and from a place told before',
  { skip },
  async (context) => {
    const rig = await mountedRig(context, {
      prepare: (source) => {
        for (let file = 0; file < 3000; file += 1)
          fs.writeFileSync(join(source, `name${file}`), '');
      },
    });
    const names = fs.opendirSync(rig.mountpoint);
    const seen = new Set<string>();
    for (let count = 0; count < 3000; count += 1) {
      const entry = names.readSync();
      if (entry === null) break;
      assert.ok(!seen.has(entry.name), `${entry.name} twice`);
      seen.add(entry.name);
      if (count % 3 === 0) fs.unlinkSync(join(rig.mountpoint, entry.name));
    }
    names.closeSync();
    assert.equal(seen.size, 3000);
    assert.equal(fs.readdirSync(rig.mountpoint).length, 2000);
  },
);
