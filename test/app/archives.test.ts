import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { copyByRsync, copyByTar, makeRichTree } from '../helpers/app-tree.js';
import { onMirror, run, shell } from '../helpers/application.js';
import { repoRoot } from '../helpers/paths.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { compareTrees } from '../helpers/tree-compare.js';

const mirror = { fuse: true, addon: true };
const copying = ['tar', 'rsync', 'setfacl', 'setfattr', 'getfattr'];
const PACKAGES = ['eslint', '@eslint', 'node-gyp', 'pino', 'yargs', 'protobufjs', '.bin'];

describe('copying into a mirror', () => {
  const skip = missing({ ...mirror, commands: copying });
  test('tar and rsync of a tree with everything', { skip }, async (t) => {
    const source = join(tempDir(t, 'rich'), 'tree');
    await makeRichTree(source);
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      const [tarred, synced] = [join(mount, 'tar'), join(mount, 'rsync')];
      await copyByTar(source, tarred);
      await copyByRsync(source, synced);
      assert.deepEqual(await compareTrees(source, tarred), []);
      assert.deepEqual(await compareTrees(source, synced), []);
      // And again, with changes: in place, removed, renamed, a file where a directory was.
      await shell(
        'printf changed | dd of=deep/large bs=1 seek=1000000 conv=notrunc 2>/dev/null;' +
          'rm -r deep/er/est; printf file > deep/er/est; mv fifo pipe; rm block; chmod 700 deep',
        { cwd: source },
      );
      await copyByRsync(source, synced, '--delete', '--inplace', '--no-whole-file');
      assert.deepEqual(await compareTrees(source, synced), []);
      // Made on the mirror and read from it, too.
      await makeRichTree(join(mount, 'here'));
      const out = join(tempDir(t, 'out'), 'tree');
      await copyByTar(join(mount, 'here'), out);
      assert.deepEqual(await compareTrees(join(mount, 'here'), out), []);
    });
  });

  test('a tree of packages copied, searched, moved and removed', { skip }, async (t) => {
    const modules = join(repoRoot, 'node_modules');
    const present = PACKAGES.filter((name) => fs.existsSync(join(modules, name)));
    assert.ok(present.length > 3, `too few packages in ${modules}`);
    await onMirror(t, { mode: 'async' }, async (mount) => {
      const copy = join(mount, 'node_modules');
      fs.mkdirSync(copy);
      await run('cp', ['-a', ...present.map((name) => join(modules, name)), copy]);
      const count = async (root: string, names: readonly string[]): Promise<number> => {
        const found = await run('find', [...names, '-print0'], { cwd: root });
        return found.split('\0').length - 1;
      };
      assert.ok((await count(copy, present)) > 1000);
      assert.equal(await count(copy, present), await count(modules, present));
      for (const name of present) {
        assert.deepEqual(await compareTrees(join(modules, name), join(copy, name)), []);
      }
      await run('mv', [copy, join(mount, 'moved')]);
      await run('cp', ['-al', join(mount, 'moved'), join(mount, 'linked')]);
      await run('find', [join(mount, 'moved'), '-name', '*.md', '-delete']);
      await run('rm', ['-rf', join(mount, 'moved/eslint'), join(mount, 'linked/node-gyp')]);
      assert.ok(!fs.existsSync(join(mount, 'moved/eslint')));
      assert.ok(fs.existsSync(join(mount, 'linked/eslint/package.json')));
    });
  });

  const npmNeeds = missing({ ...mirror, commands: ['npm', 'node'] });
  test('npm installs packages from files, without the network', { skip: npmNeeds }, async (t) => {
    const cache = tempDir(t, 'npm');
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      const project = join(mount, 'project');
      fs.mkdirSync(project);
      const npm = (...args: string[]): Promise<string> =>
        run('npm', [...args, '--offline', '--no-audit', '--no-fund', '--cache', cache], {
          cwd: project,
        });
      fs.writeFileSync(join(project, 'package.json'), '{"name":"project","private":true}');
      const names = ['xxhash-wasm', 'node-addon-api'];
      await npm('pack', ...names.map((name) => join(repoRoot, 'node_modules', name)));
      const packed = fs.readdirSync(project).filter((name) => name.endsWith('.tgz'));
      assert.equal(packed.length, names.length);
      await npm('install', ...packed.map((name) => `./${name}`));
      await npm('ci');
      const code = 'require("xxhash-wasm")().then((h) => console.log(h.h64ToString("a")))';
      const hash = await run(process.execPath, ['-e', code], { cwd: project });
      assert.equal(hash, 'd24ec4f1a98c6e5b\n');
    });
  });
});
