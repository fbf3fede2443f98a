/** Listening and dialling: what each refusal says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as net from 'node:net';
import { describe, test } from 'node:test';
import { TwinfsError } from '../../src/errors.js';
import type { Link, LinkEvents } from '../../src/io/link.js';
import { connectLink } from '../../src/io/tcp-link.js';
import { TcpServer } from '../../src/io/tcp-server.js';
import { waitFor } from '../helpers/wait-for.js';

const HOST = '127.0.0.1';
const OPTIONS = { checksum: true, timeoutMs: 5_000 };

describe('addresses', () => {
  const start = (): LinkEvents => ({
    message: () => undefined,
    closed: () => undefined,
    drained: () => undefined,
  });
  const listen = (host: string, port: number): Promise<TcpServer> =>
    TcpServer.listen({ host, port }, OPTIONS, start);
  const failsWith = (code: string, exit: string, text: RegExp) => (error: unknown) => {
    assert.ok(error instanceof TwinfsError);
    assert.deepEqual([error.code, error.exit], [code, exit]);
    assert.match(error.message, text);
    return true;
  };

  test('a taken port, and a free one after close', async () => {
    const server = await listen(HOST, 0);
    const { port } = server;
    await assert.rejects(
      listen(HOST, port),
      failsWith('port-taken', 'address', new RegExp(`${HOST}:${port} is taken`)),
    );
    server.close();
    const again = await listen(HOST, port);
    assert.equal(again.port, port);
    again.close();
  });

  test('an address of another machine', async () => {
    await assert.rejects(
      listen('192.0.2.1', 0),
      failsWith('address-not-local', 'address', /192\.0\.2\.1:0 is not an address/),
    );
  });

  test('IPv6 and localhost', async () => {
    for (const host of ['::1', 'localhost']) {
      let far: Link | undefined;
      const server = await TcpServer.listen({ host, port: 0 }, OPTIONS, (link) => {
        far = link;
        return start();
      });
      const near = await connectLink({ host, port: server.port }, OPTIONS, start);
      await waitFor('the server to accept', () => far);
      near.destroy('test', 'test');
      server.close();
    }
  });

  test('nobody there', async () => {
    const server = await listen(HOST, 0);
    const { port } = server;
    server.close();
    await assert.rejects(
      connectLink({ host: HOST, port }, OPTIONS, start),
      failsWith('peer-unreachable', 'peerUnreachable', /ECONNREFUSED/),
    );
  });

  test('dialling can be given up', async () => {
    const giveUp = AbortSignal.abort();
    await assert.rejects(
      connectLink({ host: HOST, port: 9 }, { ...OPTIONS, signal: giveUp }, start),
      failsWith('peer-unreachable', 'peerUnreachable', /given up/),
    );
  });

  test('no answer within the time', async () => {
    // A stopped listener with a full backlog: the kernel drops further SYNs, and the dialler waits.
    const script =
      "const s = require('node:net').createServer();" +
      `s.listen({ host: '${HOST}', port: 0, backlog: 1 }, () => console.log(s.address().port));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const fillers: net.Socket[] = [];
    try {
      let printed = '';
      child.stdout.on('data', (text: Buffer) => (printed += text.toString()));
      const port = await waitFor('its port', () =>
        printed.endsWith('\n') ? Number(printed) : null,
      );
      child.kill('SIGSTOP');
      await waitFor('a full backlog', async () => {
        const filler = net.connect({ host: HOST, port });
        filler.on('error', () => undefined);
        fillers.push(filler);
        return !(await connects(filler));
      });
      await assert.rejects(
        connectLink({ host: HOST, port }, { ...OPTIONS, timeoutMs: 200 }, start),
        failsWith('peer-unreachable', 'peerUnreachable', /no answer within 200 ms/),
      );
    } finally {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
    }
  });
});

/** Whether the connection stands within a time in which one on loopback always does. */
function connects(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.setTimeout(300, () => resolve(false));
  });
}
