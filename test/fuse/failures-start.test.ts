/**
 * Starts that cannot be: each is refused with its own exit status and the next step, changes
 * nothing, and works once the reason is gone.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EXIT } from '../../src/errors.js';
import { runCli } from '../helpers/cli.js';
import { freePort } from '../helpers/free-port.js';
import { TestNode } from '../helpers/node-process.js';
import { cliMain } from '../helpers/paths.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { readyShell } from '../helpers/shell.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';

const START = ['mount', 'serve'] as const;
type Start = (typeof START)[number];

const startArgs = (start: Start): string[] =>
  start === 'mount' ? [] : ['--listen', '127.0.0.1:7499'];

/** A node with a file in it that must survive everything. */
function nodeWithFile(context: Cleanup): TestNode {
  const node = new TestNode(context, 'node');
  fs.writeFileSync(join(node.directory, 'precious'), 'data');
  return node;
}

/** Not started, not mounted, no process, the data as it was. */
function assertUntouched(node: TestNode): void {
  assert.deepEqual(node.pids(), []);
  assert.equal(node.isMounted(), false);
  assert.deepEqual(fs.readdirSync(node.directory), ['precious']);
  assert.equal(fs.readFileSync(join(node.directory, 'precious'), 'utf8'), 'data');
}

describe('the directory', { skip: missing({ fuse: true, addon: true }) }, () => {
  for (const start of START) {
    test(`${start}: missing, a file, a name with a file in the middle`, async (t) => {
      const node = nodeWithFile(t);
      const run = (path: string) =>
        runCli([start, path, '--state', node.state, ...startArgs(start)]);
      const file = join(node.directory, 'precious');
      const absent = join(node.directory, 'absent');
      assertRefused(await run(absent), 'badDirectory', /absent does not exist; create it/);
      assertRefused(await run(file), 'badDirectory', /precious is not a directory/);
      assertRefused(await run(join(file, 'x')), 'badDirectory', /not a directory|does not exist/);
      assertUntouched(node);
      assert.equal(fs.existsSync(node.state), false, 'no state of a mirror that never was');
    });
  }

  test('inside itself: MOUNTPOINT, state and log below DIR, DIR below the state', async (t) => {
    const node = nodeWithFile(t);
    const inside = join(node.directory, 'inside');
    fs.mkdirSync(inside);
    assertRefused(await node.run('mount', [inside]), 'badDirectory', /inside one another/);
    fs.rmdirSync(inside);
    const run = (args: string[]) => runCli(['mount', node.directory, ...args]);
    const state = await run(['--state', join(node.directory, 'state')]);
    assertRefused(state, 'badDirectory', /state directory .* lies inside .*--state/);
    const log = await run(['--state', node.state, '--log', join(node.directory, 'log')]);
    assertRefused(log, 'badDirectory', /log file .* lies inside .*--log/);
    const below = await run(['--state', join(node.directory, '..')]);
    assertRefused(below, 'badDirectory', /lies inside the state directory.*--state/);
    assertUntouched(node);
  });

  test('mounted already: mount, serve, a directory inside, and another state', async (t) => {
    const node = nodeWithFile(t);
    fs.mkdirSync(join(node.directory, 'sub'));
    await node.mount();
    const again = /mounted or served already, by process \d+; see "twinfs status/;
    assertRefused(await node.run('mount'), 'alreadyMounted', again);
    assertRefused(await node.run('serve', startArgs('serve')), 'alreadyMounted', again);
    const other = ['--state', `${node.state}-2`];
    assertRefused(await runCli(['mount', node.directory, ...other]), 'alreadyMounted', again);
    const inside = await runCli(['mount', join(node.directory, 'sub'), ...other]);
    assertRefused(inside, 'badDirectory', /lies inside the mirror mounted at/);
    const taken = new TestNode(t, 'other');
    const result = await runCli(['mount', taken.directory, '--state', node.state]);
    assertRefused(result, 'alreadyMounted', /state directory .* is in use.*--state/);
    // All of that left it as it was.
    assert.equal(fs.readFileSync(join(node.directory, 'precious'), 'utf8'), 'data');
    assert.equal((await node.status()).role, 'Primary');
    await node.must('umount');
  });

  test('served already', async (t) => {
    const node = nodeWithFile(t);
    await node.serve(await freePort());
    assertRefused(await node.run('mount'), 'alreadyMounted', /already, by process \d+/);
    assertRefused(await node.run('serve', startArgs('serve')), 'alreadyMounted', /already/);
    await node.must('stop');
    assertUntouched(node);
  });

  for (const start of START) {
    test(`${start}: in use by a working directory and by an open file`, async (t) => {
      const node = nodeWithFile(t);
      const port = await freePort();
      const args = start === 'mount' ? [] : ['--listen', `127.0.0.1:${port}`];
      const child = await readyShell(t, 'echo ready; read x', node.directory);
      const named = new RegExp(`process ${child.pid} \\(sh\\) works in ${node.directory}`);
      assertRefused(await node.run(start, args), 'inUse', named, /--force/);
      child.kill('SIGKILL');
      const file = join(node.directory, 'precious');
      const reader = await readyShell(t, `exec 7<${file}; echo ready; read x`);
      const open = new RegExp(`process ${reader.pid} \\(sh\\) has open ${file}`);
      assertRefused(await node.run(start, args), 'inUse', open, /--force/);
      assertUntouched(node);
      // The override that the message names.
      await node.must(start, [...args, '--force']);
    });
  }
});

describe('the address', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('a port that is taken; free again, it is served', async (t) => {
    const node = nodeWithFile(t);
    const server = createServer();
    t.after(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const args = ['--listen', `127.0.0.1:${port}`];
    assertRefused(
      await node.run('serve', args),
      'address',
      new RegExp(`127\\.0\\.0\\.1:${port} is taken by another process`),
      /--listen.*ss -ltnp/,
    );
    assertUntouched(node);
    await new Promise((resolve) => server.close(resolve));
    await node.serve(port);
  });

  test('an address of another machine', async (t) => {
    const node = nodeWithFile(t);
    const result = await node.run('serve', ['--listen', '192.0.2.1:7400', '--insecure']);
    assertRefused(result, 'address', /is not an address of this machine.*--listen/);
    assertUntouched(node);
  });

  test('plaintext beyond this machine needs --insecure, for each address', async (t) => {
    const node = nodeWithFile(t);
    const plain = /not encrypted.*--insecure/;
    const mount = await node.run('mount', ['--peer', '192.0.2.1:7400']);
    assertRefused(mount, 'insecure', plain);
    for (const address of ['0.0.0.0:7400', '[::]:7400', 'elsewhere:7400']) {
      assertRefused(await node.run('serve', ['--listen', address]), 'insecure', plain);
    }
    assertRefused(await node.run('promote', ['--peer', '192.0.2.1:1']), 'insecure', plain);
    assertRefused(await node.run('connect', ['--peer', '192.0.2.1:1']), 'insecure', plain);
    assertUntouched(node);
  });
});

/** Runs twinfs in a mount namespace of its own, after `prepare` has changed /dev there. */
function inNamespace(prepare: string, node: TestNode): { code: number | null; stderr: string } {
  const words = ['mount', node.directory, '--state', node.state];
  const script = `${prepare}; exec "$@"`;
  const result = spawnSync(
    'unshare',
    ['-m', 'sh', '-e', '-c', script, 'sh', process.execPath, cliMain, ...words],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return { code: result.status, stderr: result.stderr };
}

describe('in the foreground', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('the same exit statuses, and 0 at SIGTERM', async (t) => {
    const node = nodeWithFile(t);
    const other = new TestNode(t, 'other');
    const port = await freePort();
    await other.serve(port);
    const taken = ['--listen', `127.0.0.1:${port}`, '--foreground'];
    const refused = await node.run('serve', taken);
    assert.equal(refused.code, EXIT.address, refused.stderr);
    assert.match(refused.stderr, /is taken by another process/);
    assertUntouched(node);
    // It never was anybody's copy: it may be mounted as well.
    const run = node.run('mount', ['--foreground']);
    await node.waitStatus('the mount', (status) => status.role === 'Primary');
    for (const pid of node.pids()) process.kill(pid, 'SIGTERM');
    assert.equal((await run).code, EXIT.ok);
    assertUntouched(node);
  });
});

describe('the machine', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('no /dev/fuse', (t) => {
    const node = nodeWithFile(t);
    const nodes = 'mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/urandom c 1 9';
    const hide = `mount -t tmpfs none /dev; ${nodes}`;
    const { code, stderr } = inNamespace(hide, node);
    assert.equal(code, EXIT.noFuse, stderr);
    assert.match(stderr, /\/dev\/fuse is missing: load the module with "modprobe fuse"/);
    assertUntouched(node);
  });

  test('a /dev/fuse that is none, or that the container may not open', (t) => {
    const node = nodeWithFile(t);
    const { code, stderr } = inNamespace('mount --bind /dev/null /dev/fuse', node);
    assert.equal(code, EXIT.noFuse, stderr);
    assert.match(stderr, /\/dev\/fuse/);
    assertUntouched(node);
    // What a container without the device permission gets: open(2) fails with EPERM.
    const nodev = 'mount -t tmpfs -o nodev none /mnt; mknod /mnt/fuse c 10 229';
    const bind = `${nodev}; mount --bind /mnt/fuse /dev/fuse`;
    const refusal = inNamespace(bind, node);
    assert.equal(refusal.code, EXIT.noFuse, refusal.stderr);
    assert.match(refusal.stderr, /\/dev\/fuse/);
    assertUntouched(node);
  });

  for (const start of START) {
    test(`${start}: not root`, async (t) => {
      const node = nodeWithFile(t);
      const args = [start, node.directory, '--state', node.state, ...startArgs(start)];
      const result = await runCli(args, { uid: 65534 });
      assertRefused(result, 'notRoot', new RegExp(`twinfs ${start} needs root.*sudo`));
      assertUntouched(node);
    });
  }

  test('other commands: not root, nothing running, a DIR that is no mirror', async (t) => {
    const node = nodeWithFile(t);
    await node.mount();
    const other = await runCli(['status', node.directory, '--state', node.state], { uid: 65534 });
    assertRefused(other, 'notRoot', /answers root only; run this with sudo/);
    await node.must('umount');
    for (const command of ['umount', 'stop', 'flush', 'promote']) {
      const result = await node.run(command);
      assertRefused(result, 'notRunning', /nothing serves .*twinfs mount .*twinfs serve/);
    }
    assertUntouched(node);
  });

  test('a state directory that cannot be', async (t) => {
    const node = nodeWithFile(t);
    const file = join(tempDir(t), 'file');
    fs.writeFileSync(file, '');
    const run = (state: string) => runCli(['mount', node.directory, '--state', state]);
    assertRefused(await run(file), 'badState', /cannot use the state directory .*--state/);
    assertRefused(await run(join(file, 'x')), 'badState', /--state/);
    assertUntouched(node);
  });
});
