/**
 * One end of a connection that speaks the protocol as far as a test wants it to, and then says what
 * no twinfs would say. Runs on the test's own event loop: use no synchronous call on a mount
 * meanwhile.
 */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { NO_ID } from '../../src/core/types.js';
import { decode, encode } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { FEATURES, PROTOCOL_VERSION } from '../../src/wire/handshake.js';
import { initHash } from '../../src/wire/hash.js';
import type { Hello, Message, MessageType } from '../../src/wire/messages.js';
import type { Cleanup } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** The Hello of a secondary that has nothing yet, or what `fields` make of it. */
export function helloOf(fields: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    features: FEATURES,
    mirror: NO_ID,
    node: 'feedfeedfeedfeed',
    bootId: 'a-boot',
    instance: 'beefbeefbeefbeef',
    role: 'Secondary',
    data: 'Inconsistent',
    current: NO_ID,
    base: NO_ID,
    history: [],
    wentAlone: false,
    empty: true,
    mode: 'sync',
    clockMs: 0,
    software: 'twinfs 9.9.9',
    overwritePeer: false,
    discardMine: false,
    clean: true,
    ...fields,
  };
}

/** The Hello of a primary with a copy of its own. */
export const primaryHello = (fields: Partial<Hello> = {}): Hello =>
  helloOf({
    role: 'Primary',
    data: 'UpToDate',
    mirror: 'aaaabbbbccccdddd',
    current: '1111222233334444',
    base: '1111222233334444',
    empty: false,
    ...fields,
  });

export const frameOf = (message: Message): Buffer =>
  Buffer.concat(encode(message, { checksum: true }));

export class FakePeer {
  readonly received: Message[] = [];
  readonly #socket: Socket;
  #closed = false;

  constructor(socket: Socket, onMessage: (message: Message, peer: FakePeer) => void) {
    const decoder = new FrameDecoder({ checksum: true });
    this.#socket = socket;
    socket.on('error', () => undefined).on('close', () => (this.#closed = true));
    socket.on('data', (chunk) => {
      decoder.push(chunk, (frame) => {
        const message = decode(frame);
        this.received.push(message);
        onMessage(message, this);
      });
    });
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(message: Message): void {
    this.#socket.write(frameOf(message));
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The first message of this type, when it is there. */
  async message<T extends MessageType>(type: T): Promise<Extract<Message, { type: T }>> {
    return waitFor(`a "${type}" from the node`, () => {
      const found = this.received.find((message) => message.type === type);
      return (found as Extract<Message, { type: T }> | undefined) ?? null;
    });
  }

  async closed(): Promise<void> {
    await waitFor('the node to close the connection', () => this.#closed);
  }
}

/** Connects as a primary does. */
export async function dialFake(context: Cleanup, port: number): Promise<FakePeer> {
  await initHash();
  const socket = connect({ host: '127.0.0.1', port });
  context.after(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return new FakePeer(socket, () => undefined);
}

/** Listens as a secondary does. */
export class FakeSecondary {
  readonly port: number;
  /** Every connection so far. */
  readonly peers: FakePeer[] = [];
  readonly #stop: () => Promise<void>;

  private constructor(port: number, peers: FakePeer[], stop: () => Promise<void>) {
    this.port = port;
    this.peers = peers;
    this.#stop = stop;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `onMessage` answers what the primary says. */
  static async start(
    context: Cleanup,
    onMessage: (message: Message, peer: FakePeer) => void,
  ): Promise<FakeSecondary> {
    await initHash();
    const peers: FakePeer[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      peers.push(new FakePeer(socket, onMessage));
    });
    const stop = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    context.after(stop);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeSecondary((server.address() as AddressInfo).port, peers, stop);
  }

  /** Ends every connection and gives the port free. */
  async stop(): Promise<void> {
    await this.#stop();
  }
}
