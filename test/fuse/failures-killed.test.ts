/**
 * kill -9 of a daemon at bad moments: what is left can be cleared, the data is intact, and the
 * mirror comes together again without a word of the operator.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { freePort } from '../helpers/free-port.js';
import { listMounts } from '../helpers/mounts.js';
import { startPair, TestNode } from '../helpers/node-process.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const SHORT = ['-o', 'peer_timeout=500ms'];
const needs = { skip: missing({ fuse: true, addon: true }) };

function startLoad(context: Cleanup, node: TestNode): CommitLoad {
  const logFile = join(tempDir(context), 'log');
  return CommitLoad.start(context, { directory: join(node.directory, 'load'), logFile });
}

describe('a killed primary', needs, () => {
  test('under load: ENOTCONN, cleared by umount, remounted with its peer', async (t) => {
    const { primary, secondary, port } = await startPair(t, { mode: 'semi-sync' });
    const load = startLoad(t, primary);
    await load.waitForMore(100);
    const held = fs.openSync(join(primary.directory, 'load'), 'r');
    await primary.kill();
    await load.stop();
    assert.throws(() => fs.fstatSync(held), { code: /ENOTCONN|ECONNABORTED/ });
    fs.closeSync(held);
    assert.throws(() => fs.readdirSync(primary.directory), { code: 'ENOTCONN' });
    assertRefused(await primary.run('status'), 'notRunning', /is dead; the data is intact/);
    assertRefused(await primary.run('flush'), 'notRunning');
    await primary.must('umount');
    // Every answer is on both disks, below the dead mount as well.
    for (const node of [primary, secondary]) {
      const verdict = checkCommits(load.logFile, join(node.directory, 'load'));
      assert.deepEqual(verdict.missing, []);
      assert.ok(verdict.errors.length > 0, 'the load met the end of the daemon');
    }
    await primary.mount(['--peer', `127.0.0.1:${port}`, '--wait-synced']);
    fs.writeFileSync(join(primary.directory, 'after'), 'x');
    await waitForEqualTrees(primary.directory, secondary.directory);
  });

  test('mounted elsewhere: the mountpoint is cleared, named either way', async (t) => {
    const node = new TestNode(t, 'primary');
    const mountpoint = join(dirname(node.directory), 'mnt');
    fs.mkdirSync(mountpoint);
    const isThere = (): boolean => listMounts().some((mount) => mount.mountpoint === mountpoint);
    for (const how of ['umount', 'mount']) {
      await node.mount([mountpoint]);
      fs.writeFileSync(join(mountpoint, 'file'), how);
      await node.kill();
      assert.ok(isThere());
      assert.throws(() => fs.readdirSync(mountpoint), { code: 'ENOTCONN' });
      if (how === 'mount') await node.mount([mountpoint]);
      await node.must('umount');
      assert.equal(isThere(), false);
      assert.equal(fs.readFileSync(join(node.directory, 'file'), 'utf8'), how);
    }
  });

  test('in the midst of a first synchronisation: it starts over', async (t) => {
    const seed = (directory: string): void => {
      for (let at = 0; at < 60; at += 1) {
        fs.writeFileSync(join(directory, `file-${at}`), Buffer.alloc(1 << 20, at));
      }
    };
    const primary = new TestNode(t, 'primary');
    const secondary = new TestNode(t, 'secondary');
    seed(primary.directory);
    const port = await freePort();
    await secondary.serve(port);
    const peer = ['--peer', `127.0.0.1:${port}`];
    await primary.mount(peer);
    await waitFor('some of it', () => fs.readdirSync(secondary.directory).length > 3, {
      everyMs: 2,
    });
    await primary.kill();
    await secondary.waitStatus('the loss', (s) => s.link !== 'Connected');
    const { data } = await secondary.quickStatus();
    if (fs.readdirSync(secondary.directory).length < 60) {
      assert.equal(data, 'Inconsistent');
      assertRefused(await secondary.run('promote'), 'refused', /Inconsistent .*--force/);
    }
    await primary.mount([...peer, '--wait-synced']);
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});

describe('a killed secondary', needs, () => {
  for (const mode of ['sync', 'semi-sync'] as const) {
    test(`under load (${mode}): what its copy is worth, and the way back`, async (t) => {
      const { primary, secondary, port } = await startPair(t, { mode, mountArgs: SHORT });
      const load = startLoad(t, primary);
      await load.waitForMore(100);
      await secondary.kill();
      await primary.waitStatus('the loss', (s) => s.replication === 'Off');
      await load.waitForMore(50);
      // Its read-only view is still there, readable.
      assert.ok(fs.readdirSync(join(secondary.directory, 'load')).length > 0);
      assert.throws(() => fs.writeFileSync(join(secondary.directory, 'x'), ''), { code: 'EROFS' });
      // Without its primary it says what an unclean stop made of it.
      await secondary.serve(await freePort());
      const worth = mode === 'sync' ? 'Consistent' : 'Inconsistent';
      assert.equal((await secondary.quickStatus()).data, worth);
      if (mode === 'semi-sync') {
        assertRefused(await secondary.run('promote'), 'refused', /unclean stop.*--force/);
      }
      await secondary.must('stop');
      await secondary.serve(port);
      await primary.waitEstablished();
      await load.stop();
      await primary.must('flush');
      const verdict = checkCommits(load.logFile, join(secondary.directory, 'load'));
      assert.deepEqual([...verdict.missing, ...verdict.errors], []);
      await waitForEqualTrees(primary.directory, secondary.directory);
    });
  }

  test('its leftover is cleared by umount too', async (t) => {
    const { secondary } = await startPair(t);
    await secondary.kill();
    assert.equal(secondary.isMounted(), true);
    assert.match(await secondary.must('umount'), /cleared/);
    assert.equal(secondary.isMounted(), false);
  });

  test('in the midst of a resync: the source goes on, and starts over', async (t) => {
    const { primary, secondary, port } = await startPair(t, { mountArgs: SHORT });
    await secondary.must('stop');
    for (let at = 0; at < 60; at += 1) {
      fs.writeFileSync(join(primary.directory, `file-${at}`), Buffer.alloc(1 << 20, at));
    }
    await secondary.serve(port);
    await waitFor('some of it', () => fs.readdirSync(secondary.directory).length > 3, {
      everyMs: 2,
      timeoutMs: 20_000,
    });
    await secondary.kill();
    fs.appendFileSync(join(primary.directory, 'file-1'), 'more');
    await secondary.serve(port);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});

describe('both killed', needs, () => {
  test('and started again, in either order', async (t) => {
    const { primary, secondary, port } = await startPair(t, { mode: 'sync' });
    const peer = ['--peer', `127.0.0.1:${port}`];
    for (const order of ['primary first', 'secondary first']) {
      const load = startLoad(t, primary);
      await load.waitForMore(50);
      await Promise.all([primary.kill(), secondary.kill()]);
      await load.stop();
      if (order === 'primary first') {
        await primary.mount(peer);
        await secondary.serve(port);
      } else {
        await secondary.serve(port);
        await primary.mount(peer);
      }
      await primary.waitEstablished();
      for (const node of [primary, secondary]) {
        const verdict = checkCommits(load.logFile, join(node.directory, 'load'));
        assert.deepEqual(verdict.missing, []);
      }
      fs.rmSync(join(primary.directory, 'load'), { recursive: true });
      await waitForEqualTrees(primary.directory, secondary.directory);
    }
  });
});
