/** The link over real sockets: order, latency path, back pressure, every way to end. */
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Link, LinkEvents } from '../../src/io/link.js';
import { connectLink } from '../../src/io/tcp-link.js';
import { TcpServer } from '../../src/io/tcp-server.js';
import { LINK_LINGER_MS, LINK_SEND_HIGH_BYTES, LINK_SEND_LOW_BYTES } from '../../src/limits.js';
import { encode } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { initHash } from '../../src/wire/hash.js';
import type { Message, OpsMessage } from '../../src/wire/messages.js';
import { waitFor } from '../helpers/wait-for.js';

const HOST = '127.0.0.1';
const OPTIONS = { checksum: true, timeoutMs: 5_000 };

/** One end, with everything it was told. */
class End implements LinkEvents {
  readonly link: Link;
  readonly messages: Message[] = [];
  readonly ends: { code: string; reason: string }[] = [];
  drains = 0;
  onMessage: (message: Message) => void = () => undefined;
  onDrained: () => void = () => undefined;

  constructor(link: Link) {
    this.link = link;
  }

  message(message: Message): void {
    assert.equal(this.ends.length, 0, 'a message after closed');
    this.messages.push(message);
    this.onMessage(message);
  }
  closed(code: string, reason: string): void {
    this.ends.push({ code, reason });
  }
  drained(): void {
    this.drains += 1;
    this.onDrained();
  }
  get code(): string | null {
    assert.ok(this.ends.length <= 1, 'closed more than once');
    return this.ends[0]?.code ?? null;
  }
}

const ping = (number: number): Message => ({ type: 'ping', number });
function write(seq: number, bytes: number): OpsMessage {
  const data = Buffer.alloc(bytes, seq);
  const op = { kind: 'write', ref: 1, offset: 0, data, killPriv: false } as const;
  return { type: 'ops', firstSeq: seq, ops: [op] };
}

describe('a TCP link', () => {
  const accepted: End[] = [];
  let server: TcpServer;

  before(async () => {
    server = await TcpServer.listen({ host: HOST, port: 0 }, OPTIONS, (link) => {
      const end = new End(link);
      accepted.push(end);
      return end;
    });
  });
  after(() => server.close());

  /** A connected pair: who dialled, who was dialled. */
  async function pair(): Promise<[End, End]> {
    const count = accepted.length;
    let near: End | undefined;
    const link = await connectLink({ host: HOST, port: server.port }, OPTIONS, (made) => {
      near = new End(made);
      return near;
    });
    const far = await waitFor('the server to accept', () => accepted[count]);
    assert.ok(near !== undefined && near.link === link);
    return [near, far];
  }

  const closeBoth = async (...ends: End[]): Promise<void> => {
    for (const end of ends) end.link.destroy('closed-here', 'the test is over');
    await waitFor('both ends to close', () => ends.every((end) => end.code !== null));
  };

  test('carries messages both ways, in order, of all sizes', async () => {
    const [near, far] = await pair();
    const sent = [ping(1), write(1, 10), write(2, 2 ** 20), ping(2), write(3, 100_000), ping(3)];
    for (const message of sent) {
      near.link.send(message);
      far.link.send(message);
    }
    await waitFor('all messages', () => near.messages.length + far.messages.length === 12);
    assert.deepEqual(far.messages, sent);
    assert.deepEqual(near.messages, sent);
    assert.match(near.link.remote, new RegExp(`^${HOST}:${server.port}$`));
    await closeBoth(near, far);
  });

  test('a message leaves at once, not after the work of this turn', async () => {
    const [near, far] = await pair();
    near.link.send(ping(1));
    assert.equal(near.link.pendingBytes, 0);
    near.link.send(ping(2));
    assert.ok(near.link.pendingBytes > 0, 'the second one is gathered');
    await new Promise<void>((resolve) => process.nextTick(resolve));
    assert.equal(near.link.pendingBytes, 0, 'until the end of the turn');
    await waitFor('both', () => far.messages.length === 2);
    assert.equal(near.link.pendingBytes, 0);
    await closeBoth(near, far);
  });

  test('pause holds messages and the sender, resume delivers all in order', async () => {
    const [near, far] = await pair();
    const count = 64;
    let seq = 0;
    const sendMore = (): void => {
      while (seq < count) {
        seq += 1;
        if (!near.link.send(write(seq, 2 ** 20))) return;
      }
    };
    near.onDrained = sendMore;
    far.onMessage = () => far.link.pause();
    near.link.send(ping(1));
    await waitFor('the pause', () => far.messages.length === 1);
    sendMore();
    await waitFor('the sender to be held', () => near.link.pendingBytes > LINK_SEND_HIGH_BYTES);
    const held = seq;
    assert.ok(near.link.pendingBytes <= LINK_SEND_HIGH_BYTES + 2 ** 20 + 1000);
    assert.equal(near.link.send(ping(2)), false);
    assert.deepEqual([far.messages.length, near.drains, seq], [1, 0, held]);
    far.onMessage = () => undefined;
    far.link.resume();
    assert.equal(far.messages.length, 1, 'resume itself delivers nothing');
    await waitFor('all', () => far.messages.length === count + 2);
    assert.ok(near.drains >= 1 && near.drains < count);
    const seqs = far.messages.flatMap((one) => (one.type === 'ops' ? [one.firstSeq] : []));
    assert.deepEqual(
      seqs,
      Array.from({ length: count }, (_, at) => at + 1),
    );
    await waitFor('the sender to be free', () => near.link.pendingBytes <= LINK_SEND_LOW_BYTES);
    assert.equal(near.link.send(ping(3)), true);
    await closeBoth(near, far);
  });

  test('drained follows a single message that was too much', async () => {
    const [near, far] = await pair();
    far.link.pause();
    assert.equal(near.link.send(write(1, 7 * 2 ** 20)), false);
    far.link.resume();
    await waitFor('drained', () => near.drains === 1);
    await waitFor('the message', () => far.messages.length === 1);
    await closeBoth(near, far);
  });

  test('pause and resume within a message, one at a time', async () => {
    const [near, far] = await pair();
    let depth = 0;
    far.onMessage = () => {
      depth += 1;
      assert.equal(depth, 1, 'one at a time');
      far.link.pause();
      far.link.resume();
      depth -= 1;
    };
    for (let at = 0; at < 50; at += 1) near.link.send(ping(at));
    await waitFor('all', () => far.messages.length === 50);
    await closeBoth(near, far);
  });

  test('a message delayed by pause comes when asked for, one by one', async () => {
    const [near, far] = await pair();
    far.onMessage = () => far.link.pause();
    for (let at = 1; at <= 20; at += 1) near.link.send(ping(at));
    for (let at = 1; at <= 20; at += 1) {
      await waitFor(`message ${at}`, () => far.messages.length === at);
      far.link.resume();
    }
    await closeBoth(near, far);
  });

  test('end hands over what is pending', async () => {
    const [near, far] = await pair();
    for (let seq = 1; seq <= 20; seq += 1) near.link.send(write(seq, 2 ** 20));
    near.link.end();
    assert.equal(near.link.send(ping(9)), false, 'ignored after end');
    await waitFor('both ends to close', () => near.code !== null && far.code !== null);
    assert.equal(near.code, 'closed-here');
    assert.equal(far.code, 'peer-closed');
    assert.equal(far.messages.length, 20);
  });

  test('end does not wait for a peer that does not read', async () => {
    const [near, far] = await pair();
    far.link.pause();
    for (let seq = 1; seq <= 64; seq += 1) near.link.send(write(seq, 2 ** 20));
    const began = performance.now();
    near.link.end();
    await waitFor('the end', () => near.code !== null);
    assert.equal(near.code, 'closed-here');
    assert.ok(performance.now() - began < LINK_LINGER_MS + 2_000);
    await closeBoth(far);
  });

  test('destroy says its own reason here and closes there', async () => {
    const [near, far] = await pair();
    far.link.send(ping(1));
    await waitFor('the ping', () => near.messages.length === 1);
    near.link.destroy('no-progress', 'the peer made no progress for 3000 ms');
    near.link.destroy('again', 'twice');
    near.link.end();
    assert.equal(near.code, null, 'not from within destroy');
    await waitFor('both ends to close', () => near.code !== null && far.code !== null);
    assert.deepEqual(near.ends, [
      { code: 'no-progress', reason: 'the peer made no progress for 3000 ms' },
    ]);
    assert.ok(['peer-closed', 'link-error'].includes(far.code ?? ''), far.code ?? '');
  });

  test('nothing is delivered after destroy, not even what is here already', async () => {
    const [near, far] = await pair();
    far.onMessage = () => far.link.destroy('enough', 'one is enough');
    for (let at = 0; at < 10; at += 1) near.link.send(ping(at));
    await waitFor('both ends to close', () => near.code !== null && far.code !== null);
    assert.equal(far.messages.length, 1);
    assert.equal(far.code, 'enough');
  });

  test('heardAt moves with what arrives', async () => {
    const [near, far] = await pair();
    const before = far.link.heardAt;
    await waitFor('time to pass', () => performance.now() > before + 5);
    assert.equal(far.link.heardAt, before);
    near.link.send(ping(1));
    await waitFor('the ping', () => far.messages.length === 1);
    assert.ok(far.link.heardAt > before && far.link.heardAt <= performance.now());
    await closeBoth(near, far);
  });

  test('a connection that breaks is an error with its cause', async () => {
    const [near, far] = await pair();
    far.link.pause();
    near.link.send(write(1, 2 ** 20));
    // Closing with unread bytes makes the kernel send a reset.
    far.link.destroy('test', 'test');
    await waitFor('the reset', () => near.code !== null);
    assert.ok(['link-error', 'peer-closed'].includes(near.code ?? ''));
    assert.notEqual(near.ends[0]?.reason, '');
  });
});

describe('a peer that breaks the protocol', () => {
  const ends: End[] = [];
  let server: TcpServer;
  before(async () => {
    await initHash();
    server = await TcpServer.listen({ host: HOST, port: 0 }, OPTIONS, (link) => {
      const end = new End(link);
      ends.push(end);
      return end;
    });
  });
  after(() => server.close());

  /** Sends bytes as they are and gives what came back until the server closed. */
  function speak(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const heard: Buffer[] = [];
      const socket = net.connect({ host: HOST, port: server.port }, () => socket.write(bytes));
      socket.on('data', (chunk) => heard.push(chunk));
      socket.on('error', reject);
      socket.on('end', () => resolve(Buffer.concat(heard)));
    });
  }

  function refusalIn(bytes: Buffer): { code: string; text: string } {
    const found: Buffer[] = [];
    let text = '';
    new FrameDecoder(OPTIONS).push(bytes, (frame) => {
      assert.equal(frame.type, 2);
      found.push(frame.message);
      text = frame.message.toString();
    });
    assert.equal(found.length, 1);
    const code = /[a-z]+(-[a-z]+)+/.exec(text)?.[0] ?? '';
    return { code, text };
  }

  const good = (): Buffer => Buffer.concat(encode(ping(7), { checksum: true }));
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.concat(encode(write(1, 100), { checksum: true }));
    bytes[at] = value;
    return bytes;
  };
  const unsealed = (): Buffer => Buffer.concat(encode(ping(7), { checksum: false }));

  for (const [code, bytes] of [
    ['bad-magic', () => Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['wrong-version', () => changed(4, 2)],
    ['bad-checksum', () => changed(60, 255)],
    ['bad-checksum', () => unsealed()],
  ] as const) {
    test(`${code}: told why, what came before is delivered`, async () => {
      const count = ends.length;
      // More bytes behind the broken ones must not turn the answer into a reset.
      const heard = await speak(Buffer.concat([good(), bytes(), Buffer.alloc(300_000)]));
      const end = await waitFor('the link', () => ends[count]);
      await waitFor('the end', () => end.code !== null);
      assert.deepEqual(end.messages, [ping(7)]);
      assert.equal(end.code, code);
      const refused = refusalIn(heard);
      assert.equal(refused.code, code);
      assert.ok(refused.text.includes(end.ends[0]?.reason ?? '?'));
    });
  }

  test('the connections of a server are bounded', async () => {
    const before = ends.length;
    const sockets = Array.from({ length: 40 }, () =>
      net.connect({ host: HOST, port: server.port }),
    );
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.on('close', () => (closed += 1));
    }
    await waitFor('the surplus to be closed', () => closed >= 24);
    assert.ok(ends.length - before <= 16);
    for (const socket of sockets) socket.destroy();
    await waitFor('all to close', () => ends.slice(before).every((end) => end.code !== null));
    assert.equal((await speak(Buffer.alloc(64))).length > 0, true, 'and then it serves again');
  });
});
