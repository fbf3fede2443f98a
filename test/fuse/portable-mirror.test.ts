/** `--engine fuse-native` mounts and mirrors plain files, in every mode, and comes back after a kill. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MODES } from '../../src/core/types.js';
import { startPair } from '../helpers/node-process.js';
import { missing } from '../helpers/requires.js';
import { must } from '../helpers/shell.js';
import { compareTrees, waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const WORK = `
  set -e; cd "$1"
  mkdir -p a/b; echo one > a/b/one; echo two >> a/b/one; head -c 3000000 /dev/urandom > a/large
  ln a/large a/again; ln -s b/one a/link; mv a moved; rm moved/again
  tar cf archive.tar moved; mkdir out; tar xf archive.tar -C out
  dd if=/dev/zero of=moved/large bs=4096 seek=10 count=3 conv=notrunc,fsync 2>/dev/null
  touch -d 2011-12-13T14:15:16Z moved/b/one; chmod 640 moved/b/one; truncate -s 100 archive.tar
`;

/** On the mount, times are shown in milliseconds: only the data below says them exactly. */
async function waitForEqualButTimes(mounted: string, copy: string): Promise<void> {
  await waitFor('the copies to be equal', async () => {
    const differences = await compareTrees(mounted, copy);
    assert.deepEqual(
      differences.filter((line) => !line.includes(': mtimeNs (')),
      [],
    );
    return true;
  });
}

const needs = { fuse: true, addon: true };

describe('the portable engine, mirrored', { skip: missing(needs) }, () => {
  for (const mode of MODES) {
    test(mode, async (t) => {
      const seed = (directory: string): void => fs.writeFileSync(join(directory, 'old'), 'data');
      const mountArgs = ['--engine', 'fuse-native'];
      const { primary, secondary, port } = await startPair(t, { mode, mountArgs, seed });
      assert.equal((await primary.status()).engine, 'fuse-native');
      must('sh', '-c', WORK, 'sh', primary.directory);
      await primary.must('flush');
      await waitForEqualButTimes(primary.directory, secondary.directory);
      await secondary.kill();
      await primary.waitStatus('alone', (status) => status.replication === 'Off');
      fs.writeFileSync(join(primary.directory, 'alone'), 'written alone');
      secondary.clearMounts();
      await secondary.serve(port);
      await primary.waitEstablished();
      fs.appendFileSync(join(primary.directory, 'alone'), ', and after');
      await primary.must('flush');
      await waitForEqualButTimes(primary.directory, secondary.directory);
      await primary.must('umount');
      await waitForEqualTrees(primary.directory, secondary.directory);
    });
  }
});
