import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { APPEND_LINES, COUNT_LOCKED, MAP_HALF, python, UNLINKED } from '../helpers/app-shared.js';
import { onMirror, run } from '../helpers/application.js';
import { missing } from '../helpers/requires.js';
import { readyShell } from '../helpers/shell.js';

const needs = { fuse: true, addon: true, commands: ['python3', 'flock'] };

/** Bytes of the first of each page, and whether all of a page are that byte. */
const pages = (data: Buffer): number[] =>
  Array.from({ length: data.length / 4096 }, (_, page) => {
    const bytes = data.subarray(page * 4096, (page + 1) * 4096);
    return bytes.every((byte) => byte === bytes[0]) ? (bytes[0] ?? -1) : -1;
  });

describe('files shared by processes of a mirror', { skip: missing(needs) }, () => {
  test('shared mmap: two writers see each other, and all arrives', async (t) => {
    await onMirror(t, { mode: 'sync' }, async (mount) => {
      await Promise.all([python(mount, MAP_HALF, '0'), python(mount, MAP_HALF, '1')]);
      const found = pages(fs.readFileSync(join(mount, 'mapped')));
      assert.deepEqual(
        found,
        Array.from({ length: 64 }, (_, page) => 20 + (page % 2)),
      );
    });
  });

  test('flock and fcntl locks exclude; a lock ends with its holder', async (t) => {
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      for (const kind of ['flock', 'fcntl']) {
        await Promise.all(
          Array.from({ length: 4 }, () => python(mount, COUNT_LOCKED, kind, '100')),
        );
        const counter = join(mount, 'counter');
        assert.equal(fs.readFileSync(counter, 'utf8'), '400');
        fs.renameSync(counter, `${counter}.${kind}`);
      }
      const held = join(mount, 'lock');
      const holder = await readyShell(t, `exec 9> lock; flock 9; echo ready; exec cat`, mount);
      await assert.rejects(run('flock', ['-n', held, 'true']), /ended with 1/);
      holder.kill('SIGKILL');
      await run('flock', ['-w', '20', held, 'true']);
    });
  });

  test('O_APPEND from four processes: no line is lost or torn', async (t) => {
    await onMirror(t, { mode: 'async' }, async (mount) => {
      const writers = ['a', 'b', 'c', 'd'];
      await Promise.all(writers.map((writer) => python(mount, APPEND_LINES, writer, '300')));
      const lines = fs.readFileSync(join(mount, 'log'), 'utf8').trimEnd().split('\n');
      for (const writer of writers) {
        const own = lines.filter((line) => line.startsWith(`${writer} `));
        const expected = Array.from(
          { length: 300 },
          (_, index) => `${writer} ${index} ${writer.repeat(index % 300)}`,
        );
        assert.deepEqual(own, expected);
      }
      assert.equal(lines.length, 4 * 300);
    });
  });

  test('open files outlive their names, on the mirror and not after it', async (t) => {
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      assert.equal(await python(mount, UNLINKED), "['gone', 'second', 'target']\n");
      assert.deepEqual(fs.readdirSync(mount).sort(), ['gone', 'second', 'target']);
    });
  });
});
