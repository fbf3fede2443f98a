/**
 * The life of a background process, through the command line, with a pretended node behind it
 * (test/fixtures/fake-main.ts): start, readiness, refusals, signals, crash, end.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Status } from '../../src/control/messages.js';
import type { Fake } from '../fixtures/fake-main.js';
import { runCli, type CliResult } from '../helpers/cli.js';
import { repoRoot } from '../helpers/paths.js';
import { pidsOfState, processInfo, signalAll } from '../helpers/processes.js';
import { missing } from '../helpers/requires.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const script = join(repoRoot, 'dist/test/fixtures/fake-main.js');

class FakeNode {
  readonly base: string;
  readonly directory: string;
  readonly state: string;

  constructor(context: Cleanup) {
    this.base = tempDir(context);
    this.directory = join(this.base, 'data');
    this.state = join(this.base, 'state');
    fs.mkdirSync(this.directory);
  }

  behave(fake: Fake): void {
    fs.writeFileSync(join(this.directory, 'fake.json'), JSON.stringify(fake));
  }

  run(command: string, args: string[] = []): Promise<CliResult> {
    return runCli([command, this.directory, '--state', this.state, ...args], { script });
  }

  async mount(args: string[] = []): Promise<number> {
    const { code, stderr } = await this.run('mount', ['--peer', '127.0.0.1:1', ...args]);
    assert.equal(code, 0, stderr);
    const [pid, ...more] = pidsOfState(this.state);
    assert.ok(pid !== undefined && more.length === 0, 'one process');
    return pid;
  }

  log(): string {
    return fs.readFileSync(join(this.state, 'twinfs.log'), 'utf8');
  }
}

/** One line, and nothing on stdout. */
function refused(result: CliResult, code: number, message: RegExp): void {
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, message);
  assert.ok(result.stderr.trimEnd().split('\n').length <= 1, result.stderr);
  assert.equal(result.stdout, '');
}

const gone = (pid: number) =>
  waitFor(`the end of process ${pid}`, () => {
    const info = processInfo(pid);
    return info === null || info.state === 'Z';
  });

const link = (pid: number, name: string): string => fs.readlinkSync(`/proc/${pid}/${name}`);

describe('background process', { skip: missing({ root: true, fuse: true }) }, () => {
  test('is on its own: session, root, no stdin, output in the log, state in its arguments', async (t) => {
    const node = new FakeNode(t);
    const pid = await node.mount();
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    assert.equal(Number(stat[5]), pid, 'leads a session');
    assert.equal(link(pid, 'cwd'), '/');
    assert.equal(link(pid, 'fd/0'), '/dev/null');
    assert.equal(link(pid, 'fd/1'), join(node.state, 'twinfs.log'));
    assert.equal(link(pid, 'fd/2'), join(node.state, 'twinfs.log'));
    const argv = processInfo(pid)?.argv ?? [];
    assert.deepEqual(argv.slice(-5), ['daemon', '--state', node.state, 'mount', node.directory]);
    assert.equal(fs.statSync(node.state).mode & 0o777, 0o700);
  });

  test('mount, status, umount, and all over again', async (t) => {
    const node = new FakeNode(t);
    for (let round = 0; round < 2; round += 1) {
      const pid = await node.mount(['--mode', 'async', '-o', 'peer_timeout=5s']);
      const shown = await node.run('status', ['--json']);
      const status = JSON.parse(shown.stdout) as Status;
      assert.equal(status.mode, 'async');
      assert.deepEqual(status.pids, [pid]);
      assert.match((await node.run('status')).stdout, /role +Primary \(ALONE\)/);
      assert.equal((await node.run('umount')).code, 0);
      assert.deepEqual(pidsOfState(node.state), [], 'umount returns when the process is gone');
      assert.deepEqual(
        fs.readdirSync(node.state).filter((name) => name.endsWith('.sock')),
        [],
      );
    }
    refused(await node.run('umount'), 11, /nothing serves/);
  });

  test('serve and stop', async (t) => {
    const node = new FakeNode(t);
    assert.equal((await node.run('serve', ['--listen', '127.0.0.1:7400'])).code, 0);
    assert.match((await node.run('status')).stdout, /role +Secondary/);
    assert.equal((await node.run('stop')).code, 0);
    assert.deepEqual(pidsOfState(node.state), []);
  });

  test('commands reach the node and print what it has to say', async (t) => {
    const node = new FakeNode(t);
    await node.mount();
    assert.deepEqual(await node.run('mode', ['sync']), { code: 0, stdout: '', stderr: '' });
    assert.match(
      (await node.run('promote')).stdout,
      /is Primary here now\nheard nothing for 7 s\n$/,
    );
    assert.equal((await node.run('connect', ['--overwrite-peer'])).code, 0);
    assert.match(node.log(), /"overwritePeer":true,"peer":null/);
    node.behave({ refuse: { umount: 'busy; try --lazy' } });
    refused(await node.run('umount'), 10, /^twinfs: busy; try --lazy$/m);
    node.behave({ stuck: ['flush'] });
    refused(await node.run('flush', ['--timeout', '0.2']), 15, /"flush" was not done within 0.2 s/);
  });

  test('one daemon per directory and per state', async (t) => {
    const node = new FakeNode(t);
    const pid = await node.mount();
    const again = await node.run('mount', ['--peer', '127.0.0.1:1']);
    refused(again, 4, new RegExp(`mounted or served already, by process ${pid}`));
    const serve = ['serve', node.directory, '--listen', '127.0.0.1:1'];
    const other = await runCli([...serve, '--state', join(node.base, 'state2')], { script });
    refused(other, 4, new RegExp(`process ${pid}`));
    const second = join(node.base, 'data2');
    fs.mkdirSync(second);
    const sameState = await runCli(['mount', second, '--state', node.state], { script });
    refused(sameState, 4, new RegExp(`is in use for .*/data, by process ${pid}`));
    assert.deepEqual(pidsOfState(node.state), [pid], 'the first goes on');
  });

  test('of two started at the same moment one wins', async (t) => {
    const node = new FakeNode(t);
    const results = await Promise.all([1, 2, 3].map(() => node.run('mount')));
    const codes = results.map((result) => result.code).sort();
    assert.deepEqual(codes, [0, 4, 4], results.map((result) => result.stderr).join(''));
    assert.equal(pidsOfState(node.state).length, 1);
  });

  test('a mirror is found by DIR alone, by its mountpoint, and in the list', async (t) => {
    const node = new FakeNode(t);
    const mountpoint = join(node.base, 'mnt');
    fs.mkdirSync(mountpoint);
    fs.symlinkSync('data', join(node.base, 'link'));
    const args = ['mount', node.directory, mountpoint, '--state', node.state];
    assert.equal((await runCli(args, { script })).code, 0);
    for (const name of [node.directory, mountpoint, join(node.base, 'link'), '../data/.']) {
      const found = await runCli(['status', name, '--json'], { script, cwd: mountpoint });
      assert.equal((JSON.parse(found.stdout) as Status).state, node.state, name);
    }
    const list = await runCli(['status', '--json'], { script });
    const states = (JSON.parse(list.stdout) as Status[]).map((status) => status.state);
    assert.ok(states.includes(node.state));
    const wrong = await runCli(['status', node.base, '--state', node.state], { script });
    refused(wrong, 12, /is that of .*\/data, not of/);
  });

  test("the node's refusal to start is the command's, and nothing stays", async (t) => {
    const node = new FakeNode(t);
    node.behave({
      fail: { code: 'x', exit: 'address', message: 'port 7400 is taken; name another' },
    });
    refused(await node.run('mount'), 6, /^twinfs: port 7400 is taken; name another$/m);
    await waitFor('the end of the daemon', () => pidsOfState(node.state).length === 0);
    assert.match(node.log(), /start failed: port 7400 is taken/);
  });

  test('a daemon that dies in its start: the command says where to look', async (t) => {
    for (const crash of ['throw', 'exit'] as const) {
      const node = new FakeNode(t);
      node.behave({ crash });
      const status = crash === 'throw' ? 70 : 9;
      const message = new RegExp(`ended with status ${status} while it started; see .*twinfs.log`);
      refused(await node.run('mount'), 1, message);
    }
  });

  test('an uncaught exception is in the log', async (t) => {
    const node = new FakeNode(t);
    node.behave({ crash: 'throw' });
    await node.run('mount');
    assert.match(node.log(), /a bug ended the daemon: nobody expects this/);
  });

  test('while it starts, status says so; Ctrl-C ends the start', async (t) => {
    const node = new FakeNode(t);
    node.behave({ hang: true });
    const args = [script, 'mount', node.directory, '--state', node.state];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    const message = await waitFor('the control socket', async () => {
      const { code, stderr: text } = await node.run('status');
      return code === 11 && text.includes('still starting') ? text : null;
    });
    assert.match(message, /process [0-9]+\) is still starting/);
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
    assert.match(stderr, /interrupted/);
    await waitFor('the end of the start', () => pidsOfState(node.state).length === 0, {
      timeoutMs: 20_000,
    });
  });

  test('SIGTERM ends it in good order, SIGHUP opens the log anew', async (t) => {
    const node = new FakeNode(t);
    const pid = await node.mount();
    const log = join(node.state, 'twinfs.log');
    fs.renameSync(log, `${log}.1`);
    signalAll([pid], 'SIGHUP');
    await waitFor('a new log', () => fs.existsSync(log));
    signalAll([pid], 'SIGTERM');
    await gone(pid);
    assert.match(node.log(), /shutdown of the fake/);
    assert.match(node.log(), /ended: the fake ended/);
  });

  test('killed: status says so, and it starts again over what was left', async (t) => {
    const node = new FakeNode(t);
    const pid = await node.mount();
    signalAll([pid], 'SIGKILL');
    await gone(pid);
    assert.ok(fs.existsSync(join(node.state, 'control.sock')), 'a stale socket');
    refused(await node.run('status'), 11, /nothing serves/);
    assert.notEqual(await node.mount(), pid);
    assert.equal((await node.run('status')).code, 0);
  });

  test('stopped (SIGSTOP): another start is refused, not hung', async (t) => {
    const node = new FakeNode(t);
    const pid = await node.mount();
    signalAll([pid], 'SIGSTOP');
    t.after(() => signalAll([pid], 'SIGCONT'));
    refused(await node.run('mount'), 4, new RegExp(`process ${pid}`));
  });

  test('--foreground: one process, readable log on stderr, ends with the signal', async (t) => {
    const node = new FakeNode(t);
    const args = [script, 'mount', node.directory, '--state', node.state, '--foreground'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    await waitFor('an answer', async () => (await node.run('status')).code === 0);
    assert.deepEqual(pidsOfState(node.state), [child.pid]);
    refused(await node.run('mount'), 4, new RegExp(`process ${child.pid}`));
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^[0-9:.]{12} info {2}mount starts version=/m);
  });

  test('a mount whose peer is not there succeeds and warns, with the reason', async (t) => {
    const node = new FakeNode(t);
    node.behave({ status: { reason: '127.0.0.1:1 cannot be reached' } });
    const alone = await node.run('mount', ['--peer', '127.0.0.1:1']);
    refused(alone, 0, /is mounted alone and goes on trying: 127.0.0.1:1 cannot be reached/);
    await node.run('umount');
    node.behave({ status: { link: 'StandAlone', reason: 'split brain' } });
    refused(await node.run('mount', ['--peer', '127.0.0.1:1']), 0, /but not mirrored: split brain/);
    await node.run('umount');
    node.behave({ status: { link: 'Connected' } });
    refused(await node.run('mount', ['--peer', '127.0.0.1:1']), 0, /^$/);
  });

  test('--wait-synced returns when both are UpToDate', async (t) => {
    const node = new FakeNode(t);
    const sync = {
      pass: 1,
      filesDone: 1,
      filesTotal: 2,
      bytesDone: 1,
      bytesTotal: 2,
      bytesSent: 1,
    };
    const running = { ...sync, rate: 1, secondsLeft: 1 };
    const peer = { address: '127.0.0.1:1', data: 'Inconsistent', silentMs: 1 } as const;
    const connected = { link: 'Connected', replication: 'SyncSource' } as const;
    node.behave({ status: { ...connected, peer, sync: running } });
    let isDone = false;
    const waiting = node.run('mount', ['--peer', '127.0.0.1:1', '--wait-synced']).then((result) => {
      isDone = true;
      return result;
    });
    await waitFor('a daemon that answers', async () => (await node.run('status')).code === 0);
    assert.equal(isDone, false);
    const upToDate = { ...peer, data: 'UpToDate' } as const;
    node.behave({ status: { link: 'Connected', replication: 'Established', peer: upToDate } });
    assert.deepEqual(await waiting, { code: 0, stdout: '', stderr: '' });
  });

  test('--wait-synced with a link that stands alone gives its reason, and stays mounted', async (t) => {
    const node = new FakeNode(t);
    node.behave({ status: { link: 'StandAlone', reason: 'split brain; use --discard-mine' } });
    const result = await node.run('mount', ['--peer', '127.0.0.1:1', '--wait-synced']);
    refused(result, 10, /is mounted, but not mirrored: split brain/);
    assert.equal((await node.run('status')).code, 0);
  });
});
