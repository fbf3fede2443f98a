/**
 * A TCP proxy that flips one bit on the way, when told to. It runs on the test's own event loop:
 * use no synchronous call on a mount meanwhile.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Cleanup } from './temp-dir.js';

type Direction = 'forward' | 'backward';

export class DamagingProxy {
  readonly port: number;
  readonly #wanted: Set<Direction>;

  private constructor(port: number, wanted: Set<Direction>) {
    this.port = port;
    this.#wanted = wanted;
  }

  static async start(context: Cleanup, targetPort: number): Promise<DamagingProxy> {
    const wanted = new Set<Direction>();
    const sockets: Socket[] = [];
    const pass = (from: Socket, to: Socket, direction: Direction): void => {
      sockets.push(from);
      from.on('data', (chunk) => {
        if (wanted.delete(direction))
          chunk[chunk.length >> 1] = (chunk[chunk.length >> 1] ?? 0) ^ 4;
        to.write(chunk);
      });
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.on('end', () => to.end());
    };
    const server = createServer((client) => {
      const target = connect({ host: '127.0.0.1', port: targetPort });
      pass(client, target, 'forward');
      pass(target, client, 'backward');
    });
    context.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DamagingProxy((server.address() as AddressInfo).port, wanted);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Damages the next bytes that pass in this direction. */
  damage(direction: Direction): void {
    this.#wanted.add(direction);
  }

  /** The damage was done. */
  isDone(): boolean {
    return this.#wanted.size === 0;
  }
}
