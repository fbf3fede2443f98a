import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { git, writeSources } from '../helpers/app-git.js';
import { onMirror } from '../helpers/application.js';
import { missing } from '../helpers/requires.js';

const FILES = 300;
const needs = { fuse: true, addon: true, commands: ['git'] };

describe('git on a mirror', { skip: missing(needs) }, () => {
  test('init, commit, branch, merge, clone, gc, fsck', async (t) => {
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      const repository = join(mount, 'repository');
      fs.mkdirSync(repository);
      await git(repository, ['init', '-q', '-b', 'main']);
      writeSources(repository, FILES, 1);
      await git(repository, ['add', '-A']);
      await git(repository, ['commit', '-q', '-m', 'all files']);
      await git(repository, ['checkout', '-q', '-b', 'side']);
      writeSources(repository, FILES / 2, 2);
      await git(repository, ['commit', '-q', '-a', '-m', 'half of them changed']);
      await git(repository, ['checkout', '-q', 'main']);
      await git(repository, ['mv', 'part14', 'moved']);
      await git(repository, ['commit', '-q', '-m', 'a folder renamed']);
      await git(repository, ['merge', '-q', '-m', 'merged', 'side']);

      const clone = join(mount, 'clone');
      await git(mount, ['clone', '-q', '--no-local', repository, clone]);
      await git(mount, ['clone', '-q', repository, join(mount, 'linked')]);
      for (const each of [repository, clone]) {
        await git(each, ['gc', '-q', '--prune=now', '--aggressive']);
        await git(each, ['fsck', '--full', '--strict']);
        assert.equal(await git(each, ['status', '--porcelain']), '');
        assert.equal(await git(each, ['rev-list', '--count', 'HEAD']), '4\n');
      }
      const counted = await git(clone, ['ls-files']);
      assert.equal(counted.trim().split('\n').length, FILES);
      assert.match(fs.readFileSync(join(clone, 'part0/file0.txt'), 'utf8'), /round 2\n$/);
    });
  });
});
