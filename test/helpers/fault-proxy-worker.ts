/** The worker of fault-proxy.ts: sockets, held bytes, and the faults. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { ProxyCommand, ProxyCounters, ProxyTarget } from './fault-proxy.js';

/** Beyond this a held direction stops reading, and TCP pushes back on the sender. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;

const target = workerData as ProxyTarget;
const stalled = { forward: false, backward: false };
const delivered = { forward: 0, backward: 0 };
let isCut = false;
let delayMs = 0;
let connectionsMade = 0;

/** One direction of one connection. `data` null is the end of the stream. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: 'forward' | 'backward';
  readonly #held: { data: Buffer | null; dueAt: number }[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(from: Socket, to: Socket, direction: 'forward' | 'backward') {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    from.on('data', (data: Buffer) => {
      this.#hold(data);
    });
    from.on('end', () => {
      this.#hold(null);
    });
    to.on('drain', () => {
      this.pump();
    });
  }

  #hold(data: Buffer | null): void {
    this.#held.push({ data, dueAt: performance.now() + delayMs });
    this.#heldBytes += data?.length ?? 0;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#from.pause();
    this.pump();
  }

  /** Delivers what is due, in order. */
  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (!stalled[this.#direction] && !this.#to.writableNeedDrain) {
      const next = this.#held[0];
      if (next === undefined) break;
      const earlyMs = next.dueAt - performance.now();
      if (earlyMs > 0) {
        this.#timer = setTimeout(() => {
          this.pump();
        }, earlyMs);
        break;
      }
      this.#held.shift();
      this.#deliver(next.data);
    }
    if (this.#heldBytes <= HELD_BYTES_MAX) this.#from.resume();
  }

  #deliver(data: Buffer | null): void {
    if (data === null) {
      this.#to.end();
      return;
    }
    this.#heldBytes -= data.length;
    delivered[this.#direction] += data.length;
    this.#to.write(data);
  }

  /** FIN to the receiver now; later bytes of this direction go nowhere. */
  halfClose(): void {
    this.#held.length = 0;
    this.#to.end();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#held.length = 0;
  }
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly forward: Pipe;
  readonly backward: Pipe;
}

const connections = new Set<Connection>();

/**
 * RST, but never on top of a pending FIN: Node then marks the handle as closing without closing it,
 * and a worker that has one never ends.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function accept(client: Socket): void {
  if (isCut) {
    reset(client);
    return;
  }
  connectionsMade += 1;
  const server = connect({ ...target, allowHalfOpen: true });
  client.setNoDelay(true);
  server.setNoDelay(true);
  const connection: Connection = {
    client,
    server,
    forward: new Pipe(client, server, 'forward'),
    backward: new Pipe(server, client, 'backward'),
  };
  connections.add(connection);
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.on('error', () => {
      reset(other);
    });
    socket.on('close', () => {
      if (client.destroyed && server.destroyed) remove(connection);
    });
  }
}

function remove(connection: Connection): void {
  connection.forward.stop();
  connection.backward.stop();
  connections.delete(connection);
}

function pumpAll(): void {
  for (const { forward, backward } of connections) {
    forward.pump();
    backward.pump();
  }
}

function carryOut(command: ProxyCommand): void {
  switch (command.kind) {
    case 'stall':
      if (command.direction !== 'backward') stalled.forward = true;
      if (command.direction !== 'forward') stalled.backward = true;
      break;
    case 'cut':
      isCut = true;
      for (const { client, server } of connections) {
        reset(client);
        reset(server);
      }
      break;
    case 'halfClose':
      for (const connection of connections) connection[command.direction].halfClose();
      break;
    case 'heal':
      isCut = false;
      stalled.forward = false;
      stalled.backward = false;
      pumpAll();
      break;
    case 'delay':
      delayMs = command.delayMs;
      break;
    case 'counters':
      break;
  }
}

const counters = (): ProxyCounters => ({
  connections: connectionsMade,
  open: connections.size,
  forwardBytes: delivered.forward,
  backwardBytes: delivered.backward,
});

parentPort?.on('message', (command: ProxyCommand) => {
  carryOut(command);
  parentPort?.postMessage(counters());
});

const listener = createServer({ allowHalfOpen: true }, accept);
listener.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage((listener.address() as AddressInfo).port);
});
