/**
 * The control socket by itself, over real sockets: what the daemon's side and the command line's
 * side promise each other.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ask } from '../../src/control/client.js';
import type { Request } from '../../src/control/messages.js';
import { startControlServer, type Handler } from '../../src/control/server.js';
import { TwinfsError } from '../../src/errors.js';
import { CONTROL_LINE_BYTES_MAX } from '../../src/limits.js';
import { openLog } from '../../src/io/logger.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const { log } = openLog({ level: 'silent', file: null, terminal: null });

async function serve(context: Cleanup, stateDir: string, handle: Handler | null) {
  const server = await startControlServer(stateDir, log);
  if (handle !== null) server.ready(handle);
  context.after(() => server.close());
  return server;
}

const target = (stateDir: string) => ({ stateDir, shown: '/srv/data' });
const echo: Handler = (request) => Promise.resolve({ asked: request });

/** Sends raw bytes to the socket and collects what comes back until it closes. */
function raw(stateDir: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = net.connect(join(stateDir, 'control.sock'), () => socket.write(bytes));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}

describe('control socket', () => {
  test('every command arrives as it was sent', async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, echo);
    const requests: Request[] = [
      { command: 'status' },
      { command: 'flush' },
      { command: 'stop' },
      { command: 'mode', mode: 'semi-sync' },
      { command: 'umount', lazy: true },
      { command: 'connect', overwritePeer: true, peer: null },
      { command: 'promote', peer: { host: '::1', port: 7400 }, mode: null, force: false },
      { command: 'promote', peer: null, mode: 'async', force: true },
    ];
    for (const request of requests) {
      assert.deepEqual(await ask(target(stateDir), request), { asked: request });
    }
  });

  test('is for root alone', async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, echo);
    assert.equal(fs.statSync(join(stateDir, 'control.sock')).mode & 0o777, 0o600);
  });

  test('a path longer than a socket address', async (t) => {
    const stateDir = join(tempDir(t), 'x'.repeat(200), 'y'.repeat(200));
    fs.mkdirSync(stateDir, { recursive: true });
    await serve(t, stateDir, echo);
    assert.deepEqual(await ask(target(stateDir), { command: 'flush' }), {
      asked: { command: 'flush' },
    });
  });

  test('the socket of a dead daemon: nobody answers there, and it is taken over', async (t) => {
    const stateDir = tempDir(t);
    const path = join(stateDir, 'control.sock');
    // Closing a server removes its socket: the second name keeps a dead one.
    const dead = net.createServer().listen(path);
    await waitFor('the socket', () => fs.existsSync(path));
    fs.linkSync(path, `${path}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    fs.renameSync(`${path}.kept`, path);
    await assert.rejects(ask(target(stateDir), { command: 'status' }), {
      code: 'not-running',
      exit: 'notRunning',
      message: /nothing serves \/srv\/data.*twinfs mount.*twinfs serve/,
    });
    await serve(t, stateDir, echo);
    assert.ok(await ask(target(stateDir), { command: 'status' }));
  });

  test('no socket and no state directory at all', async (t) => {
    const stateDir = tempDir(t);
    for (const path of [stateDir, join(stateDir, 'missing')]) {
      await assert.rejects(ask(target(path), { command: 'status' }), { code: 'not-running' });
    }
  });

  test("the node's refusals come through with code, exit and text", async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, (request) => {
      if (request.command === 'flush') throw new Error('boom');
      return Promise.reject(new TwinfsError('outdated', 'refused', 'old data; --force'));
    });
    const promote = { command: 'promote', peer: null, mode: null, force: false } as const;
    await assert.rejects(ask(target(stateDir), promote), {
      code: 'outdated',
      exit: 'refused',
      message: 'old data; --force',
    });
    await assert.rejects(ask(target(stateDir), { command: 'flush' }), {
      code: 'unexpected',
      exit: 'failed',
      message: 'boom',
    });
  });

  test('while the node starts it says so', async (t) => {
    const stateDir = tempDir(t);
    const server = await serve(t, stateDir, null);
    await assert.rejects(ask(target(stateDir), { command: 'status' }), {
      code: 'starting',
      exit: 'notRunning',
      message: new RegExp(`process ${process.pid}`),
    });
    server.ready(echo);
    assert.ok(await ask(target(stateDir), { command: 'status' }));
  });

  test('a daemon that does not answer in time', async (t) => {
    const stateDir = tempDir(t);
    let release: () => void = () => undefined;
    await serve(t, stateDir, () => new Promise((resolve) => (release = () => resolve(null))));
    await assert.rejects(ask(target(stateDir), { command: 'flush' }, 50), {
      code: 'control-timeout',
      exit: 'timedOut',
      message: /"flush" was not done within 0.05 s/,
    });
    release();
  });

  test('a daemon that goes away instead of answering', async (t) => {
    const stateDir = tempDir(t);
    const server = net.createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      server.listen(join(stateDir, 'control.sock'), resolve);
    });
    t.after(() => server.close());
    await assert.rejects(ask(target(stateDir), { command: 'status' }), {
      code: 'control-closed',
      exit: 'failed',
    });
  });

  test('what is no request is refused with words', async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, echo);
    const lines = [
      'nonsense',
      '[]',
      'null',
      '{}',
      '{"command":"destroy"}',
      '{"command":"mode","mode":"fast"}',
      '{"command":"umount"}',
      '{"command":"promote","peer":{"host":1},"mode":null,"force":false}',
    ];
    for (const line of lines) {
      const reply = JSON.parse(await raw(stateDir, `${line}\n`)) as Record<string, unknown>;
      assert.equal(reply['ok'], false, line);
      assert.equal(reply['code'], 'bad-request', line);
    }
  });

  test('a line without end is cut off at the bound', async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, echo);
    assert.equal(await raw(stateDir, Buffer.alloc(CONTROL_LINE_BYTES_MAX + 10, 0x20)), '');
    assert.ok(await ask(target(stateDir), { command: 'status' }));
  });

  test('closing waits for the reply under way, not for those who say nothing', async (t) => {
    const stateDir = tempDir(t);
    let release: () => void = () => undefined;
    const server = await startControlServer(stateDir, log);
    server.ready(() => new Promise((resolve) => (release = () => resolve('late'))));
    const silent = net.connect(join(stateDir, 'control.sock'));
    t.after(() => silent.destroy());
    await new Promise((resolve) => silent.once('connect', resolve));
    const asked = ask(target(stateDir), { command: 'flush' });
    await waitFor(
      'the request',
      () => release.length === 0 && release.toString() !== '() => undefined',
    );
    const closed = server.close();
    release();
    assert.equal(await asked, 'late');
    await closed;
    assert.equal(fs.existsSync(join(stateDir, 'control.sock')), false);
  });

  test('many at once', async (t) => {
    const stateDir = tempDir(t);
    await serve(t, stateDir, echo);
    const results = await Promise.all(
      Array.from({ length: 50 }, () => ask(target(stateDir), { command: 'status' })),
    );
    assert.equal(results.length, 50);
  });
});
