/**
 * Listens for peers and makes a Link of each connection.
 */
import * as net from 'node:net';
import { formatAddress } from '../config/address.js';
import type { Address } from '../config/config.js';
import { errorText, TwinfsError } from '../errors.js';
import { LINKS_MAX } from '../limits.js';
import { initHash } from '../wire/hash.js';
import { socketOptions, TcpLink, type LinkOptions, type LinkStart } from './tcp-link.js';

export class TcpServer {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #start: LinkStart;
  readonly #options: LinkOptions;

  private constructor(start: LinkStart, options: LinkOptions) {
    this.#start = start;
    this.#options = options;
    this.#server = net.createServer({ ...socketOptions }, (socket) => this.#accept(socket));
  }

  /**
   * Resolves when connections are taken. Port 0 is any free one. Rejects with TwinfsError
   * "port-taken", "address-not-local" or "listen-failed".
   */
  static async listen(
    address: Address,
    options: LinkOptions,
    start: LinkStart,
  ): Promise<TcpServer> {
    await initHash();
    const made = new TcpServer(start, options);
    const server = made.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(address, error)));
      server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
    server.removeAllListeners('error');
    server.on('error', () => undefined); // accept(2) failed (descriptors): the peer tries again
    return made;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Takes no more connections and gives the port free; links that exist go on. */
  close(): void {
    this.#server.close();
  }

  #accept(socket: net.Socket): void {
    if (this.#sockets.size >= LINKS_MAX) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    new TcpLink(socket, this.#start, this.#options);
  }
}

function listenError(address: Address, error: NodeJS.ErrnoException): TwinfsError {
  const where = formatAddress(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return new TwinfsError(
        'port-taken',
        'address',
        `${where} is taken by another process; choose another port with --listen, ` +
          'or end that process ("ss -ltnp" shows it)',
        error,
      );
    case 'EADDRNOTAVAIL':
      return new TwinfsError(
        'address-not-local',
        'address',
        `${where} is not an address of this machine ("ip address" lists them); correct --listen`,
        error,
      );
    default:
      return new TwinfsError(
        'listen-failed',
        'address',
        `cannot listen on ${where}: ${errorText(error)}; correct --listen`,
        error,
      );
  }
}
