/** fault-proxy.ts against an echo server: each fault does what it says and heals. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'node:test';
import { FaultProxy } from '../../helpers/fault-proxy.js';
import type { Cleanup } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';

interface Client {
  readonly socket: Socket;
  readonly got: () => string;
  readonly ended: () => boolean;
}

async function setUp(t: Cleanup): Promise<{ proxy: FaultProxy; dial: () => Client }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const proxy = await FaultProxy.start(t, {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  const dial = (): Client => {
    const socket = connect(proxy.port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    let isEnded = false;
    socket.on('error', () => undefined);
    socket.on('data', (data) => (text += data.toString()));
    socket.on('end', () => (isEnded = true));
    return { socket, got: () => text, ended: () => isEnded };
  };
  return { proxy, dial };
}

test('passes bytes both ways and counts them', async (t) => {
  const { proxy, dial } = await setUp(t);
  const client = dial();
  client.socket.write('hello');
  await waitFor('the echo', () => client.got() === 'hello');
  const { connections, forwardBytes, backwardBytes } = await proxy.counters();
  assert.deepEqual([connections, forwardBytes, backwardBytes], [1, 5, 5]);
});

test('stall holds bytes without closing, heal delivers them in order', async (t) => {
  const { proxy, dial } = await setUp(t);
  const client = dial();
  client.socket.write('a');
  await waitFor('the first echo', () => client.got() === 'a');
  await proxy.stall('backward');
  client.socket.write('b');
  await waitFor('b at the server', async () => (await proxy.counters()).forwardBytes === 2);
  await proxy.stall('forward');
  client.socket.write('c');
  // A second connection's bytes do not get through either: nothing more can be waited for here.
  const { forwardBytes, open } = await proxy.counters();
  assert.deepEqual([client.got(), forwardBytes, open], ['a', 2, 1]);
  await proxy.heal();
  await waitFor('the rest', () => client.got() === 'abc');
});

test('cut resets what is open and refuses what comes, until healed', async (t) => {
  const { proxy, dial } = await setUp(t);
  const client = dial();
  client.socket.write('x');
  await waitFor('the echo', () => client.got() === 'x');
  await proxy.cut();
  await waitFor('the reset', () => client.socket.destroyed);
  const refused = dial();
  await waitFor('the refusal', () => refused.socket.destroyed);
  await proxy.heal();
  const again = dial();
  again.socket.write('y');
  await waitFor('the echo after healing', () => again.got() === 'y');
});

test('a half close ends one direction only', async (t) => {
  const { proxy, dial } = await setUp(t);
  const client = dial();
  client.socket.write('x');
  await waitFor('the echo', () => client.got() === 'x');
  await proxy.halfClose('backward');
  await waitFor('the end', () => client.ended());
});

test('delay makes a round trip at least twice as long', async (t) => {
  const { proxy, dial } = await setUp(t);
  await proxy.setDelay(60);
  const client = dial();
  const startedAt = performance.now();
  client.socket.write('x');
  await waitFor('the echo', () => client.got() === 'x', { everyMs: 2 });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs >= 115, `took ${tookMs} ms`);
});
