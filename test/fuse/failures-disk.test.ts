/**
 * Full disks and disks that became read-only, on either node: who sees an error, who does not, and
 * that both copies are equal again when there is room. The disks are small filesystems in files.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { Mode } from '../../src/core/types.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { freePort } from '../helpers/free-port.js';
import { TestNode } from '../helpers/node-process.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const MIB = 1024 * 1024;
const needs = { skip: missing({ fuse: true, addon: true, commands: ['mkfs.ext4', 'losetup'] }) };

interface DiskPair {
  readonly primary: TestNode;
  readonly secondary: TestNode;
  readonly port: number;
}

/** A mirror whose one node has its directory on `disk`. */
async function pairOn(
  context: Cleanup,
  disk: SmallDisk,
  who: 'primary' | 'secondary',
  mode: Mode,
): Promise<DiskPair> {
  const place = (name: string): string | undefined =>
    name === who ? join(disk.path, 'data') : undefined;
  const secondary = new TestNode(context, 'secondary', place('secondary'));
  const primary = new TestNode(context, 'primary', place('primary'));
  const port = await freePort();
  await secondary.serve(port);
  await primary.mount(['--peer', `127.0.0.1:${port}`, '--mode', mode]);
  await primary.waitEstablished();
  return { primary, secondary, port };
}

describe("the peer's disk", needs, () => {
  for (const mode of ['sync', 'semi-sync', 'async'] as Mode[]) {
    test(`full (${mode}): the primary goes on alone, says why, and catches up`, async (t) => {
      const disk = new SmallDisk(t, 64);
      const { primary, secondary } = await pairOn(t, disk, 'secondary', mode);
      const logFile = join(tempDir(t), 'log');
      const load = CommitLoad.start(t, { directory: join(primary.directory, 'load'), logFile });
      await load.waitForMore(20);
      disk.fill(MIB);
      const big = Buffer.alloc(MIB, 7);
      for (let at = 0; at < 8; at += 1) {
        await fs.promises.writeFile(join(primary.directory, `big-${at}`), big);
      }
      const alone = await primary.waitStatus('the reason', (s) => /ENOSPC/.test(s.reason ?? ''));
      assert.equal(alone.wentAlone, true);
      await load.waitForMore(20);
      assert.match(primary.logTail(100), /could not apply change \d+.*ENOSPC/);
      assert.match(secondary.logTail(100), /could not be applied, this copy stays behind/);
      assert.match((await secondary.quickStatus()).data, /Outdated|Inconsistent/);
      disk.free();
      await primary.waitEstablished();
      await load.stop();
      await primary.must('flush');
      const verdict = checkCommits(logFile, join(secondary.directory, 'load'));
      assert.deepEqual([...verdict.errors, ...verdict.missing], []);
      await waitForEqualTrees(primary.directory, secondary.directory);
      assert.equal((await secondary.quickStatus()).data, 'UpToDate');
    });
  }

  test('nearly full: applications see the smaller of both free spaces', async (t) => {
    const disk = new SmallDisk(t, 64);
    const { primary } = await pairOn(t, disk, 'secondary', 'sync');
    disk.fill(4 * MIB);
    await waitFor('statfs to show it', async () => {
      const { bavail, bsize } = await fs.promises.statfs(primary.directory);
      return bavail * bsize < 8 * MIB;
    });
  });

  test('read-only from the start: serve says so, and works once it is writable', async (t) => {
    const disk = new SmallDisk(t, 64);
    const { primary, secondary, port } = await pairOn(t, disk, 'secondary', 'sync');
    await fs.promises.writeFile(join(primary.directory, 'one'), 'x');
    await secondary.must('stop');
    disk.setReadOnly(true);
    const result = await secondary.run('serve', ['--listen', `127.0.0.1:${port}`]);
    assertRefused(result, 'badDirectory', /Read-only file system.*must be on a writable/);
    await fs.promises.writeFile(join(primary.directory, 'two'), 'y');
    assert.deepEqual(fs.readdirSync(secondary.directory), ['one']);
    disk.setReadOnly(false);
    await secondary.serve(port);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
  });

  test('becomes read-only while the stream runs', async (t) => {
    const disk = new SmallDisk(t, 64);
    const { primary, secondary } = await pairOn(t, disk, 'secondary', 'sync');
    await fs.promises.writeFile(join(primary.directory, 'one'), 'x');
    await fs.promises.unlink(join(primary.directory, 'one'));
    // The kernel refuses it while a file is open for writing there.
    await waitFor('the remount', () => {
      disk.setReadOnly(true);
      return true;
    });
    for (let at = 0; at < 5; at += 1) {
      await fs.promises.writeFile(join(primary.directory, `file-${at}`), 'content');
    }
    const alone = await primary.waitStatus('the reason', (s) => /EROFS/.test(s.reason ?? ''));
    assert.equal(alone.wentAlone, true);
    assert.deepEqual(fs.readdirSync(secondary.directory), []);
    disk.setReadOnly(false);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});

/**
 * Writes until the disk is full, in several shapes at once; resolves to the errors they ended by.
 */
async function fillUp(directory: string): Promise<string[]> {
  const shapes = [
    'n=0; while dd if=/dev/zero of=big-$n bs=1M count=3 conv=fsync; do n=$((n+1)); done',
    'dd if=/dev/zero of=odd bs=7777 oflag=append conv=notrunc',
    'n=0; while /bin/echo some text > small-$n; do n=$((n+1)); done',
    'mkdir d; n=0; while head -c 5000 /dev/zero > d/f; do mv d/f d/g-$n || exit 1; n=$((n+1)); done',
  ];
  return Promise.all(
    shapes.map(async (shape) => {
      const child = spawn('sh', ['-c', shape], {
        cwd: directory,
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      await new Promise((resolve) => child.once('close', resolve));
      return text
        .split('\n')
        .filter((line) => !/records (in|out)|copied/.test(line))
        .join();
    }),
  );
}

describe('the own disk', needs, () => {
  for (const mode of ['sync', 'async'] as Mode[]) {
    test(`full (${mode}): ENOSPC for the application, equal copies, no break`, async (t) => {
      const disk = new SmallDisk(t, 48);
      const { primary, secondary } = await pairOn(t, disk, 'primary', mode);
      disk.fill(16 * MIB);
      const errors = await fillUp(primary.directory);
      for (const error of errors) assert.match(error, /No space left/);
      for (const error of errors) assert.doesNotMatch(error, /Input\/output|not connected/);
      const status = await primary.quickStatus();
      assert.equal(status.replication, 'Established', primary.logTail());
      assert.equal(status.data, 'UpToDate');
      await primary.must('flush');
      await waitForEqualTrees(primary.directory, secondary.directory);
      disk.free();
      await fs.promises.appendFile(join(primary.directory, 'odd'), Buffer.alloc(MIB, 1));
      await waitForEqualTrees(primary.directory, secondary.directory);
      assert.equal((await primary.quickStatus()).replication, 'Established');
    });
  }

  test('a full disk below the state: nothing is answered that is not recorded', async (t) => {
    const primary = new TestNode(t, 'primary');
    const secondary = new TestNode(t, 'secondary');
    const disk = new SmallDisk(t, 4, { path: join(dirname(primary.state), 'statefs') });
    const stateDir = join(disk.path, 'state');
    fs.symlinkSync(stateDir, primary.state);
    const port = await freePort();
    await secondary.serve(port);
    await primary.mount(['--peer', `127.0.0.1:${port}`]);
    const node = { stateDir };
    assert.ok(fs.existsSync(join(node.stateDir, 'node.json')));
    await waitForEqualTrees(primary.directory, secondary.directory);
    await fs.promises.writeFile(join(primary.directory, 'before'), 'x');
    disk.fill();
    await secondary.must('stop');
    // It cannot note that it goes alone: this answer must not be "done".
    await assert.rejects(fs.promises.writeFile(join(primary.directory, 'after'), 'y'));
    const text = fs.readFileSync(primary.log, 'utf8');
    assert.match(text, /cannot record that this node goes on alone.*make the state directory/);
    disk.free();
    await secondary.serve(port);
    await primary.mount(['--peer', `127.0.0.1:${port}`]);
    await waitForEqualTrees(primary.directory, secondary.directory);
    assert.equal(fs.readFileSync(join(secondary.directory, 'before'), 'utf8'), 'x');
    await primary.must('umount');
  });
});
