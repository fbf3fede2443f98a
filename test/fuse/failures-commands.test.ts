/**
 * Commands and signals in the midst of things: every end is a clean one, nothing that was answered
 * is missing in the copy, and a command that cannot do what it says does not claim it has.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ask } from '../../src/control/client.js';
import { MODES } from '../../src/core/types.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { freePort } from '../helpers/free-port.js';
import { startPair, TestNode } from '../helpers/node-process.js';
import { cliMain } from '../helpers/paths.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { must, readyShell } from '../helpers/shell.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const SHORT = ['-o', 'peer_timeout=1s'];
const needs = { skip: missing({ fuse: true, addon: true }) };

function startLoad(context: Cleanup, node: TestNode): CommitLoad {
  const logFile = join(tempDir(context), 'log');
  return CommitLoad.start(context, { directory: join(node.directory, 'load'), logFile });
}

/** Everything that was acknowledged is in the copy. */
function assertAllThere(load: CommitLoad, copy: TestNode): void {
  const verdict = checkCommits(load.logFile, join(copy.directory, 'load'));
  assert.deepEqual(verdict.missing, []);
  assert.ok(verdict.acknowledged > 0);
}

const signal = (node: TestNode, name: NodeJS.Signals): void => {
  for (const pid of node.pids()) process.kill(pid, name);
};

const ended = async (node: TestNode): Promise<void> => {
  await waitFor(`the end of ${node.name}`, () => node.pids().length === 0, { timeoutMs: 15_000 });
};

const isClean = (node: TestNode): boolean => {
  const text = fs.readFileSync(join(node.state, 'node.json'), 'utf8');
  return (JSON.parse(text) as { record: { clean: boolean } }).record.clean;
};

describe('the end of a primary', needs, () => {
  test('umount(8) with a full queue (async): the copy gets all of it', async (t) => {
    const { primary, secondary } = await startPair(t, { mode: 'async' });
    const block = Buffer.alloc(1 << 20, 3);
    for (let at = 0; at < 24; at += 1) {
      fs.writeFileSync(join(primary.directory, `file-${at}`), block);
    }
    must('umount', primary.directory);
    await ended(primary);
    assert.equal(isClean(primary), true);
    await waitForEqualTrees(primary.directory, secondary.directory);
    const { reason, data } = await secondary.quickStatus();
    assert.equal(data, 'Consistent');
    assert.ok(reason !== null);
  });

  test('umount while it is in use changes nothing; the mirror goes on', async (t) => {
    const { primary, secondary } = await startPair(t);
    const child = await readyShell(t, 'exec 7>held; echo ready; read x', primary.directory);
    const busy = new RegExp(`is in use.*--lazy.*process ${child.pid} \\(sh\\)`);
    assertRefused(await primary.run('umount'), 'inUse', busy);
    assert.equal((await primary.quickStatus()).replication, 'Established');
    fs.writeFileSync(join(primary.directory, 'after'), 'x');
    await waitForEqualTrees(primary.directory, secondary.directory);
    child.kill('SIGKILL');
    await waitFor('the end of the user', () => child.signalCode !== null);
    await primary.must('umount');
    assert.equal(isClean(primary), true);
  });

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    test(`${name} under load: an answer is an answer`, async (t) => {
      const { primary, secondary } = await startPair(t, { mode: 'semi-sync' });
      const load = startLoad(t, primary);
      await load.waitForMore(100);
      signal(primary, name);
      await waitFor('it to say so', () => /ends when nobody uses/.test(primary.logTail(100)));
      // Taken away in place it would leave the load in the bare directory, unmirrored.
      await load.waitForMore(20);
      assert.equal(primary.isMounted(), true);
      await load.stop();
      await ended(primary);
      assert.equal(primary.isMounted(), false);
      assert.equal(isClean(primary), true);
      assertAllThere(load, secondary);
      await waitForEqualTrees(primary.directory, secondary.directory);
    });
  }
});

describe('a first synchronisation', needs, () => {
  test('umount in the midst of it ends at once, and the next one brings the rest', async (t) => {
    const primary = new TestNode(t, 'primary');
    const secondary = new TestNode(t, 'secondary');
    for (let at = 0; at < 80; at += 1) {
      fs.writeFileSync(join(primary.directory, `file-${at}`), Buffer.alloc(1 << 20, at));
    }
    const port = await freePort();
    await secondary.serve(port);
    await primary.mount(['--peer', `127.0.0.1:${port}`]);
    assertRefused(await primary.run('flush'), 'peerUnreachable', /it is being synchronised/);
    await primary.must('umount');
    assert.equal(isClean(primary), true);
    await primary.mount(['--peer', `127.0.0.1:${port}`, '--wait-synced']);
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});

describe('promote', needs, () => {
  test('that cannot mount: the copy is intact, and mounted when it can be', async (t) => {
    const { primary, secondary } = await startPair(t);
    fs.writeFileSync(join(primary.directory, 'file'), 'data');
    await primary.must('umount');
    await secondary.must('stop');
    // A namespace of its own in which /dev/fuse is none.
    const port = await freePort();
    const script = 'mount --bind /dev/null /dev/fuse; exec "$@"';
    const serve = ['serve', secondary.directory, '--listen', `127.0.0.1:${port}`];
    const words = [process.execPath, cliMain, ...serve, '--state', secondary.state];
    must('unshare', '-m', 'sh', '-e', '-c', script, 'sh', ...words);
    const result = await secondary.run('promote');
    assertRefused(result, 'noFuse', /FUSE mount did not succeed|promotion failed half-way/);
    await ended(secondary);
    assert.equal(fs.readFileSync(join(secondary.directory, 'file'), 'utf8'), 'data');
    await secondary.mount();
    fs.appendFileSync(join(secondary.directory, 'file'), ', more');
    await secondary.must('umount');
  });
});

describe('the end of a primary in use', needs, () => {
  test('the second signal detaches; the daemon ends with its last user', async (t) => {
    const { primary, secondary } = await startPair(t);
    const script = 'exec 7>held; echo ready; read x; echo late >&7';
    const child = await readyShell(t, script, primary.directory);
    signal(primary, 'SIGTERM');
    await waitFor('it to say so', () => /ends when nobody uses/.test(primary.logTail()));
    signal(primary, 'SIGTERM');
    await waitFor('the mount to be out of sight', () => !primary.isMounted());
    child.stdin?.write('\n');
    await ended(primary);
    assert.equal(fs.readFileSync(join(secondary.directory, 'held'), 'utf8'), 'late\n');
    assert.equal(isClean(primary), true);
  });
});

describe('the end of a secondary', needs, () => {
  for (const how of ['stop', 'SIGTERM'] as const) {
    test(`${how} under load: the primary goes on alone, and catches up`, async (t) => {
      const { primary, secondary, port } = await startPair(t, { mountArgs: SHORT });
      const load = startLoad(t, primary);
      await load.waitForMore(100);
      if (how === 'stop') await secondary.must('stop');
      else signal(secondary, how);
      await ended(secondary);
      assert.equal(isClean(secondary), true);
      assert.equal(secondary.isMounted(), false);
      fs.writeFileSync(join(secondary.directory, 'own'), 'an ordinary directory again');
      await load.waitForMore(50);
      await secondary.serve(port);
      await primary.waitEstablished();
      await load.stop();
      await primary.must('flush');
      assert.deepEqual(checkCommits(load.logFile, primary.directory + '/load').errors, []);
      assertAllThere(load, secondary);
      await waitForEqualTrees(primary.directory, secondary.directory);
    });
  }

  test('a working directory in the copy does not keep it from ending', async (t) => {
    const { secondary } = await startPair(t);
    await readyShell(t, 'echo ready; read x', secondary.directory);
    await secondary.must('stop');
    assert.equal(secondary.isMounted(), false);
  });
});

describe('flush', needs, () => {
  test('without its peer it does what it can, and does not claim more', async (t) => {
    const { primary, secondary, port } = await startPair(t, { mountArgs: SHORT });
    fs.writeFileSync(join(primary.directory, 'one'), 'x');
    await primary.must('flush');
    // In the midst of it: the peer does not answer any more.
    secondary.pause();
    void fs.promises.writeFile(join(primary.directory, 'two'), 'x');
    const during = await primary.run('flush');
    assertRefused(during, 'peerUnreachable', /durable on this node.*peer/);
    const after = await primary.run('flush');
    assertRefused(after, 'peerUnreachable', /durable on this node.*peer 127.*twinfs status/);
    secondary.resume();
    await primary.waitEstablished();
    await primary.must('flush');
    await secondary.kill();
    await primary.waitStatus('the loss', (s) => s.replication === 'Off');
    assertRefused(await primary.run('flush'), 'peerUnreachable', /durable on this node/);
    await secondary.serve(port);
    await primary.waitEstablished();
    await primary.must('flush');
    // A secondary has nothing to flush, and a mount that never had a peer is its own barrier.
    assertRefused(await secondary.run('flush'), 'refused', /this node is Secondary/);
    const lonely = new TestNode(t, 'lonely');
    await lonely.mount();
    await lonely.must('flush');
  });

  test('a time limit', async (t) => {
    const { primary, secondary } = await startPair(t, { mountArgs: ['-o', 'peer_timeout=20s'] });
    secondary.pause();
    const result = await primary.run('flush', ['--timeout', '0.5']);
    assertRefused(result, 'timedOut', /not done within 0.5 s.*twinfs status/);
    secondary.resume();
    await primary.must('flush');
  });
});

describe('mode', needs, () => {
  test('switched 20 times under load: what was answered is there', async (t) => {
    const { primary, secondary } = await startPair(t, { mode: 'sync' });
    const load = startLoad(t, primary);
    await load.waitForMore(20);
    for (let turn = 0; turn < 20; turn += 1) {
      const mode = MODES[(turn + 1) % MODES.length] ?? 'sync';
      // Without a process for each: the switches shall follow each other closely.
      const target = { stateDir: primary.state, shown: primary.directory };
      await ask(target, { command: 'mode', mode });
      const { mode: now, replication } = await primary.quickStatus();
      assert.deepEqual([now, replication], [mode, 'Established']);
      if (mode === 'async') continue;
      // Returned: what was answered by the weaker rule before is at the peer.
      await load.waitForMore(1);
    }
    await primary.must('mode', ['async']);
    await load.waitForMore(50);
    await primary.must('mode', ['sync']);
    await primary.kill();
    await waitFor('the load to end', () => load.acknowledged() > 0 && !primary.pids().length);
    await secondary.promote();
    assertAllThere(load, secondary);
    assert.equal((await secondary.quickStatus()).mode, 'sync');
  });

  test('switched while alone, while the peer hangs, and on the wrong node', async (t) => {
    const { primary, secondary, port } = await startPair(t, { mode: 'sync', mountArgs: SHORT });
    assertRefused(await secondary.run('mode', ['async']), 'refused', /Secondary; ask the primary/);
    // The order is noted, and the peer, which does not answer, is lost meanwhile: no failure.
    secondary.pause();
    await primary.must('mode', ['semi-sync']);
    assert.equal((await primary.quickStatus()).mode, 'semi-sync');
    secondary.resume();
    await primary.waitEstablished();
    assert.equal((await secondary.quickStatus()).mode, 'semi-sync');
    await secondary.must('stop');
    await primary.must('mode', ['async']);
    fs.writeFileSync(join(primary.directory, 'alone'), 'x');
    await secondary.serve(port);
    await primary.waitEstablished();
    assert.equal((await primary.quickStatus()).mode, 'async');
    assert.equal((await secondary.quickStatus()).mode, 'async');
    await waitForEqualTrees(primary.directory, secondary.directory);
  });
});
