/**
 * commit-log.ts on a plain directory: a whole copy passes, and every kind of planted loss is found.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CommitLoad, checkCommits } from '../../helpers/commit-log.js';
import * as shapes from '../../helpers/commit-shapes.js';
import { tempDir } from '../../helpers/temp-dir.js';
import type { Cleanup } from '../../helpers/temp-dir.js';

async function runLoad(t: Cleanup): Promise<{ log: string; copy: string }> {
  const base = tempDir(t);
  const log = join(base, 'acknowledged.log');
  const directory = join(base, 'load');
  const load = CommitLoad.start(t, {
    directory,
    logFile: log,
    patterns: ['append', 'write', 'rename', 'pages'],
  });
  await load.waitForEach(4, 40);
  await load.waitForMore(1);
  await load.stop();
  return { log, copy: directory };
}

test('a complete copy misses nothing, in any pattern', async (t) => {
  const { log, copy } = await runLoad(t);
  const verdict = checkCommits(log, copy);
  assert.deepEqual(verdict.missing, []);
  assert.deepEqual(verdict.errors, []);
  assert.ok(verdict.acknowledged > 160);
  assert.equal(verdict.present, verdict.acknowledged);
  assert.deepEqual(Object.keys(verdict.byPattern).sort(), ['append', 'pages', 'rename', 'write']);
});

test('planted losses are found: a lost tail, an old page, a torn page, a lost and an old name', async (t) => {
  const { log, copy } = await runLoad(t);
  const expectMissing = (what: RegExp): void => {
    const { missing } = checkCommits(log, copy);
    assert.ok(
      missing.some((line) => what.test(line)),
      `${what} not in ${missing.slice(0, 3).join('; ')}`,
    );
  };
  const append = join(copy, 'append-0');
  fs.truncateSync(append, fs.statSync(append).size - shapes.RECORD_BYTES);
  expectMissing(/append thread 0 .*: the copy holds \d+ only/);

  const pages = fs.openSync(join(copy, 'pages-3'), 'r+');
  fs.writeSync(pages, shapes.page(0), 0, shapes.PAGE_BYTES, 97 * shapes.PAGE_BYTES);
  expectMissing(/pages thread 3 place 97 .*: the copy holds 0 only/);
  fs.writeSync(pages, Buffer.from('torn'), 0, 4, 97 * shapes.PAGE_BYTES + 100);
  fs.closeSync(pages);
  expectMissing(/pages thread 3 place 97 .* torn/);

  fs.writeFileSync(join(copy, 'rename-2', shapes.slotName(1)), shapes.whole(0));
  expectMissing(/rename thread 2 place 1 .*: the copy holds 0 only/);
  fs.rmSync(join(copy, 'rename-2', shapes.slotName(2)));
  expectMissing(/rename thread 2 place 2 .*ENOENT/);
});

test('a writer that meets an error says so and ends by itself', async (t) => {
  const base = tempDir(t);
  const log = join(base, 'acknowledged.log');
  const directory = join(base, 'load');
  fs.mkdirSync(join(directory, 'append-0'), { recursive: true });
  const load = CommitLoad.start(t, { directory, logFile: log, patterns: ['append'] });
  await load.stop();
  const { acknowledged, errors } = checkCommits(log, directory);
  assert.equal(acknowledged, 0);
  assert.match(errors.join(), /append 0: EISDIR/);
});
