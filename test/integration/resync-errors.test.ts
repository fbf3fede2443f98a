/** What ends a resync, and by which name; and that nothing stays open, held or running after it. */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TwinfsError } from '../../src/errors.js';
import type { SyncTree } from '../../src/io/tree.js';
import { MarkedTree } from '../helpers/marked-tree.js';
import { missing } from '../helpers/requires.js';
import { makePair, resync, type PairOptions } from '../helpers/resync-pair.js';
import { tempDir } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';

const skip = missing({ root: true, addon: true, commands: ['getfattr'] });

function makeTrees(context: TestContext): { source: string; target: string } {
  const base = tempDir(context, 'errors');
  const [source, target] = [join(base, 'source'), join(base, 'target')];
  fs.mkdirSync(join(source, 'd/e'), { recursive: true });
  fs.mkdirSync(target);
  for (let index = 0; index < 60; index += 1) {
    fs.writeFileSync(join(source, `d/f${index}`), randomBytes(10_000));
  }
  fs.writeFileSync(join(source, 'd/e/big'), randomBytes(20_000_000));
  return { source, target };
}

const openFiles = (): number => fs.readdirSync('/proc/self/fd').length;

const failure = (code: string, errno: number): Error =>
  Object.assign(new Error(`${code}: injected`), { code, errno: -errno });

/** A tree whose calls fail when `fails` says so. */
const failing =
  (code: string, errno: number, calls: readonly (keyof SyncTree)[], after: number) =>
  (tree: SyncTree): SyncTree => {
    let count = 0;
    const broken: Record<string, unknown> = { ...tree };
    for (const call of calls) {
      const works = tree[call] as (...args: unknown[]) => unknown;
      broken[call] = (...args: unknown[]) => {
        if ((count += 1) > after) throw failure(code, errno);
        return works(...args);
      };
    }
    return broken as unknown as SyncTree;
  };

const cases: readonly {
  readonly name: string;
  readonly code: string;
  readonly options: Partial<PairOptions>;
}[] = [
  ...(['writeSync', 'make', 'setMeta', 'truncate'] as const).map((call) => ({
    name: `a full disk at ${call}`,
    code: 'target-disk-full',
    options: { wrapTarget: failing('ENOSPC', 28, [call], call === 'truncate' ? 0 : 20) },
  })),
  {
    name: 'a full disk in a large file',
    code: 'target-disk-full',
    options: { wrapTarget: failing('ENOSPC', 28, ['write'], 3) },
  },
  {
    name: 'a read-only target',
    code: 'target-read-only',
    options: { wrapTarget: failing('EROFS', 30, ['make'], 0) },
  },
  {
    name: 'an I/O error on the target',
    code: 'target-io-error',
    options: { wrapTarget: failing('EIO', 5, ['openWrite'], 10) },
  },
  {
    name: 'an I/O error on the source',
    code: 'source-read-error',
    options: { wrapSource: failing('EIO', 5, ['openRead'], 10) },
  },
  {
    name: 'an I/O error on a directory of the source',
    code: 'source-read-error',
    options: { wrapSource: failing('EIO', 5, ['stat'], 2) },
  },
];

for (const { name, code, options } of cases) {
  test(name, { skip }, async (t) => {
    const trees = makeTrees(t);
    if (name.endsWith('truncate')) fs.writeFileSync(join(trees.target, 'big'), randomBytes(100));
    if (name.endsWith('truncate')) fs.writeFileSync(join(trees.source, 'big'), randomBytes(50));
    const before = openFiles();
    let held = 0;
    const callbacks = {
      freeze: () => Promise.resolve(void (held += 1)),
      thaw: () => (held -= 1),
    };
    await assert.rejects(resync({ ...trees, ...options, callbacks }), (error: unknown) => {
      assert.ok(error instanceof TwinfsError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, /d|f|big/);
      return true;
    });
    assert.equal(held, 0);
    assert.equal(openFiles(), before);
    // And the next one, on a good disk, completes.
    await resync(trees);
    assert.deepEqual(findDifferences(trees.source, trees.target), []);
  });
}

test('a connection that breaks at any moment leaves nothing behind', { skip }, async (t) => {
  const trees = makeTrees(t);
  const before = openFiles();
  for (const after of [0, 1, 2, 5, 20, 60, 120, 200, 230]) {
    let count = 0;
    const pair = await makePair({
      ...trees,
      toTarget: () => {
        if ((count += 1) === after + 1) pair.cut(new TwinfsError('peer-closed', 'failed', 'cut'));
        return true;
      },
    });
    const ended = await pair.run().then(
      () => 'completed',
      (error: unknown) => (error as TwinfsError).code,
    );
    assert.ok(ended === 'peer-closed' || count <= after, `${ended} after ${after}`);
    assert.equal(openFiles(), before, `descriptors after ${after} messages`);
  }
  await resync(trees);
  assert.deepEqual(findDifferences(trees.source, trees.target), []);
});

test('cut while the writers are held: they are let go', { skip }, async (t) => {
  const trees = makeTrees(t);
  const tree = new MarkedTree(trees.source);
  const calls: string[] = [];
  const pair = await makePair({
    ...trees,
    marks: tree,
    callbacks: {
      freeze: () => {
        calls.push('freeze');
        tree.write('d/late', 0, Buffer.from('x'));
        setImmediate(() => pair.cut(new TwinfsError('peer-closed', 'failed', 'cut')));
        return Promise.resolve();
      },
      thaw: () => void calls.push('thaw'),
      switchOn: () => {
        throw new Error('must not be reached');
      },
    },
    toSource: (message) => !calls.includes('freeze') || message.type === 'syncStored',
  });
  await assert.rejects(pair.run(), { code: 'peer-closed' });
  assert.deepEqual(calls, ['freeze', 'thaw']);
});

test('a path the target loses comes again in the next pass', { skip }, async (t) => {
  const trees = makeTrees(t);
  let lost = false;
  await resync({
    ...trees,
    toTarget: (message) => {
      if (!lost && message.type === 'fileOpen') {
        lost = true;
        fs.rmSync(join(trees.target, message.path.toString()));
      }
      return true;
    },
  });
  assert.ok(lost);
  assert.deepEqual(findDifferences(trees.source, trees.target), []);
});

test('a target that never keeps a name ends the resync by name', { skip }, async (t) => {
  const trees = makeTrees(t);
  const options = {
    ...trees,
    wrapTarget: (tree: SyncTree): SyncTree => ({
      ...tree,
      openWrite: (path) => {
        if (path.toString().endsWith('f7')) throw failure('ENOENT', 2);
        return tree.openWrite(path);
      },
    }),
  };
  await assert.rejects(resync(options), { code: 'sync-not-converging' });
});

test('a source that breaks the protocol is refused', { skip }, async (t) => {
  const trees = makeTrees(t);
  const pair = await makePair(trees);
  pair.target.handle({ type: 'syncProgress', ...NUMBERS });
  const self = {
    ...{ mode: 0o040755, uid: 0, gid: 0, size: 0, mtime: 0n, rdev: 0, target: Buffer.alloc(0) },
    ...{ xattrs: [], linkGroup: 0n },
  };
  const entries = ['b', 'a'].map((name) => ({ name: Buffer.from(name), meta: self }));
  const path = Buffer.alloc(0);
  pair.target.handle({ type: 'dirList', id: 1, path, self, entries, last: true });
  await assert.rejects(pair.run(), { code: 'bad-message' });
});

const NUMBERS = {
  ...{ filesDone: 1, filesTotal: 2, bytesDone: 3, bytesTotal: 4, bytesSent: 5, pass: 1, rate: 6 },
};
