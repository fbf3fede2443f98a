/**
 * The peer is there and does not go on: stopped, its disk stuck, silent in the last pass of a
 * resync. Writers are let go within `peer_timeout` and half a second, as `on_peer_loss` says, and
 * both copies are equal again afterwards.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Mode } from '../../src/core/types.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import type { Verdict } from '../helpers/commit-log.js';
import { FakeSecondary, helloOf } from '../helpers/fake-peer.js';
import { freePort } from '../helpers/free-port.js';
import { startPair, TestNode } from '../helpers/node-process.js';
import { missing } from '../helpers/requires.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const PEER_TIMEOUT_MS = 1_000;
const SLACK_MS = 500;
const SHORT = ['-o', `peer_timeout=${PEER_TIMEOUT_MS}ms`];
const needs = { skip: missing({ fuse: true, addon: true }) };

function startLoad(context: Cleanup, node: TestNode): CommitLoad {
  const logFile = join(tempDir(context), 'log');
  return CommitLoad.start(context, { directory: join(node.directory, 'load'), logFile });
}

/** Nobody waited longer than allowed, nothing acknowledged is missing in `copy`. */
function assertHeld(load: CommitLoad, copy: TestNode): Verdict {
  const verdict = checkCommits(load.logFile, join(copy.directory, 'load'));
  assert.deepEqual(verdict.errors, []);
  assert.deepEqual(verdict.missing, []);
  const bound = PEER_TIMEOUT_MS + SLACK_MS;
  assert.ok(verdict.longestMs <= bound, `a commit took ${verdict.longestMs} ms of ${bound}`);
  return verdict;
}

describe('a peer that stands still', needs, () => {
  for (const mode of ['sync', 'semi-sync', 'async'] as Mode[]) {
    test(`SIGSTOP of the secondary under load (${mode})`, async (t) => {
      const { primary, secondary } = await startPair(t, { mode, mountArgs: SHORT });
      const load = startLoad(t, primary);
      await load.waitForMore(100);
      secondary.pause();
      const alone = await primary.waitStatus('the loss', (s) => s.replication === 'Off');
      assert.match(alone.reason ?? '', /nothing was heard|no progress|cannot be reached/);
      await load.waitForMore(100);
      const goneOn = await primary.quickStatus();
      assert.equal(goneOn.wentAlone, true);
      assert.equal(goneOn.service, 'ALONE');
      secondary.resume();
      await primary.waitEstablished();
      await load.waitForMore(100);
      await load.stop();
      await primary.must('flush');
      assertHeld(load, secondary);
      await waitForEqualTrees(primary.directory, secondary.directory);
      assert.equal((await secondary.quickStatus()).data, 'UpToDate');
    });
  }

  test('a full queue (async): who waits for room is let go as well', async (t) => {
    const mountArgs = ['-o', `peer_timeout=${PEER_TIMEOUT_MS}ms,queue_bytes=8M`];
    const { primary, secondary } = await startPair(t, { mode: 'async', mountArgs });
    secondary.pause();
    const file = await fs.promises.open(join(primary.directory, 'big'), 'w');
    let longestMs = 0;
    for (let at = 0; at < 48; at += 1) {
      const before = performance.now();
      await file.write(Buffer.alloc(1 << 20, at));
      longestMs = Math.max(longestMs, performance.now() - before);
    }
    await file.close();
    assert.ok(longestMs <= PEER_TIMEOUT_MS + SLACK_MS, `a write took ${longestMs} ms`);
    assert.equal((await primary.quickStatus()).wentAlone, true);
    secondary.resume();
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
  });

  test("the secondary's disk hangs while its connection lives", async (t) => {
    const disk = new SmallDisk(t, 64);
    const secondary = new TestNode(t, 'secondary', join(disk.path, 'data'));
    const primary = new TestNode(t, 'primary');
    const port = await freePort();
    await secondary.serve(port);
    await primary.mount(['--peer', `127.0.0.1:${port}`, ...SHORT]);
    await primary.waitEstablished();
    const load = startLoad(t, primary);
    await load.waitForMore(50);
    disk.freeze();
    try {
      await primary.waitStatus('the loss', (s) => s.replication === 'Off');
      await load.waitForMore(50);
    } finally {
      disk.thaw();
    }
    await primary.waitEstablished();
    await load.stop();
    await primary.must('flush');
    assertHeld(load, secondary);
    await waitForEqualTrees(primary.directory, secondary.directory);
  });

  test('a target that falls silent in the last pass, its connection alive', async (t) => {
    let pass = 0;
    const fake = await FakeSecondary.start(t, (message, peer) => {
      switch (message.type) {
        case 'hello':
          pass = 0;
          peer.send(helloOf());
          return;
        case 'ping':
          peer.send({ type: 'pong', number: message.number });
          return;
        case 'syncProgress':
          ({ pass } = message);
          return;
        case 'dirList':
          if (pass > 1) return;
          peer.send({
            ...{ type: 'dirResult', id: message.id, fresh: [], stale: [], linked: [] },
            ...{ removed: 0, problem: null },
          });
          return;
        case 'fileOpen':
          if (pass <= 1) peer.send({ type: 'fileDone', id: message.id, problem: null });
          return;
        default:
      }
    });
    const primary = new TestNode(t, 'primary');
    await primary.mount();
    const load = startLoad(t, primary);
    await load.waitForMore(50);
    await primary.must('connect', ['--peer', fake.address]);
    // peer_timeout is the default here; the load notes every wait.
    await waitFor('the last pass', () => pass > 1);
    await primary.waitStatus('the loss', (s) => /no progress/.test(s.reason ?? ''));
    await load.waitForMore(50);
    await fake.stop();
    await load.stop();
    const verdict = checkCommits(load.logFile, join(primary.directory, 'load'));
    assert.deepEqual(verdict.missing, []);
    assert.deepEqual(verdict.errors, []);
    assert.ok(verdict.longestMs <= 3_000 + SLACK_MS, `a commit took ${verdict.longestMs} ms`);
  });

  test('SIGSTOP of the primary: the secondary is Consistent, and neither loses anything', async (t) => {
    const { primary, secondary } = await startPair(t, { mountArgs: SHORT, serveArgs: SHORT });
    fs.writeFileSync(join(primary.directory, 'before'), 'x');
    primary.pause();
    const lost = await secondary.waitStatus('the loss', (s) => s.link !== 'Connected');
    assert.match(lost.reason ?? '', /nothing was heard from the peer for 1000 ms/);
    await secondary.waitStatus('Consistent', (s) => s.data === 'Consistent');
    assert.equal(fs.readFileSync(join(secondary.directory, 'before'), 'utf8'), 'x');
    primary.resume();
    await primary.waitEstablished();
    fs.writeFileSync(join(primary.directory, 'after'), 'y');
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});

describe('on_peer_loss', needs, () => {
  test('block: writers wait for the peer, readers do not, nothing is lost', async (t) => {
    const mountArgs = ['-o', 'peer_timeout=500ms,on_peer_loss=block'];
    const { primary, secondary, port } = await startPair(t, { mountArgs });
    fs.writeFileSync(join(primary.directory, 'file'), 'before');
    await secondary.kill();
    await primary.waitStatus('the loss', (s) => s.replication === 'Off');
    let answered = false;
    const writes = [
      fs.promises.writeFile(join(primary.directory, 'new'), 'while away'),
      fs.promises.appendFile(join(primary.directory, 'file'), ', while away'),
    ];
    void Promise.allSettled(writes).then(() => (answered = true));
    const blocked = await primary.waitStatus('the reason', (s) => /block/.test(s.reason ?? ''));
    assert.match(blocked.reason ?? '', /writers wait for the peer \(on_peer_loss=block\)/);
    assert.equal(await fs.promises.readFile(join(primary.directory, 'file'), 'utf8'), 'before');
    assert.equal(answered, false);
    assert.equal(blocked.wentAlone, false, 'nothing was answered that the peer does not have');
    await secondary.serve(port);
    await Promise.all(writes);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
    const text = fs.readFileSync(join(secondary.directory, 'file'), 'utf8');
    assert.equal(text, 'before, while away');
  });

  for (const policy of ['block', 'read-only']) {
    test(`${policy}: a restart does not undo it, a promotion does`, async (t) => {
      const options = ['-o', `peer_timeout=500ms,on_peer_loss=${policy}`];
      const pair = await startPair(t, { mountArgs: options, serveArgs: options });
      const { primary, secondary, port } = pair;
      const file = join(primary.directory, 'file');
      fs.writeFileSync(file, 'before');
      await Promise.all([primary.kill(), secondary.kill()]);
      const args = ['--peer', `127.0.0.1:${port}`, ...options];
      await primary.mount(args);
      const write = fs.promises.appendFile(file, ', after').then(
        () => 'written',
        (error: NodeJS.ErrnoException) => error.code,
      );
      const status = await primary.waitStatus('the reason', (s) => s.reason !== null);
      assert.match(status.reason ?? '', new RegExp(`on_peer_loss=${policy}.*cannot be reached`));
      assert.equal(status.wentAlone, false);
      if (policy === 'read-only') assert.equal(await write, 'EROFS');
      await secondary.serve(port, options);
      await primary.waitEstablished();
      if (policy === 'block') assert.equal(await write, 'written');
      else await fs.promises.appendFile(file, ', after');
      await primary.must('flush');
      await primary.kill();
      await secondary.promote(['--peer', `127.0.0.1:${await freePort()}`]);
      fs.appendFileSync(join(secondary.directory, 'file'), ', promoted');
      const text = fs.readFileSync(join(secondary.directory, 'file'), 'utf8');
      assert.equal(text, 'before, after, promoted');
    });
  }

  test('block: a primary that is told to end lets its writers go with an error', async (t) => {
    const mountArgs = ['-o', 'peer_timeout=500ms,on_peer_loss=block'];
    const { primary, secondary } = await startPair(t, { mountArgs });
    await secondary.kill();
    await primary.waitStatus('the loss', (s) => s.replication === 'Off');
    const write = fs.promises.writeFile(join(primary.directory, 'new'), 'x').then(
      () => 'written',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await primary.waitStatus('the reason', (s) => /block/.test(s.reason ?? ''));
    for (const pid of primary.pids()) process.kill(pid, 'SIGTERM');
    await waitFor('the end of the primary', () => primary.pids().length === 0);
    assert.notEqual(await write, 'written');
    assert.equal(primary.isMounted(), false);
  });

  test('read-only: EROFS while the peer is away, writable again with it', async (t) => {
    const mountArgs = ['-o', 'peer_timeout=500ms,on_peer_loss=read-only'];
    const { primary, secondary, port } = await startPair(t, { mountArgs });
    const file = join(primary.directory, 'file');
    fs.writeFileSync(file, 'before');
    await secondary.kill();
    await primary.waitStatus('the loss', (s) => s.replication === 'Off');
    for (const change of [
      () => fs.promises.writeFile(join(primary.directory, 'new'), 'x'),
      () => fs.promises.appendFile(file, 'x'),
      () => fs.promises.rename(file, `${file}2`),
      () => fs.promises.chmod(file, 0o600),
    ]) {
      await assert.rejects(change, { code: 'EROFS' });
    }
    assert.equal(await fs.promises.readFile(file, 'utf8'), 'before');
    const status = await primary.quickStatus();
    assert.match(status.reason ?? '', /read-only/);
    await secondary.serve(port);
    await primary.waitEstablished();
    await fs.promises.appendFile(file, ', after');
    await waitForEqualTrees(primary.directory, secondary.directory);
    assert.equal(fs.readFileSync(join(secondary.directory, 'file'), 'utf8'), 'before, after');
  });
});
