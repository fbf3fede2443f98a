/**
 * A TCP proxy between two nodes that delays, stalls or cuts the link. It runs in a worker thread: a
 * test that calls the mount synchronously waits for the peer, and must not thereby stop the link to
 * it.
 *
 * "Forward" is from who connects (the primary) to who listens (the secondary).
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Cleanup } from './temp-dir.js';

export type Direction = 'forward' | 'backward' | 'both';

export type ProxyCommand =
  /** Holds bytes back without closing anything: a dead network, a stopped peer. */
  | { readonly kind: 'stall'; readonly direction: Direction }
  /** Resets every connection and refuses new ones. */
  | { readonly kind: 'cut' }
  /** Ends one direction (FIN), the other goes on. */
  | { readonly kind: 'halfClose'; readonly direction: 'forward' | 'backward' }
  /** Ends stall and cut; what was held is delivered, in order. */
  | { readonly kind: 'heal' }
  /** Each byte arrives this much later, in both directions. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'counters' };

export interface ProxyCounters {
  /** Connections made so far. */
  readonly connections: number;
  readonly open: number;
  /** Bytes delivered. */
  readonly forwardBytes: number;
  readonly backwardBytes: number;
}

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

export class FaultProxy {
  readonly port: number;
  readonly #worker: Worker;
  readonly #waiting: ((counters: ProxyCounters) => void)[] = [];

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.port = port;
    worker.on('message', (counters: ProxyCounters) => this.#waiting.shift()?.(counters));
  }

  /** Listens on a free port of 127.0.0.1; ends with the test. The target need not be there yet. */
  static async start(context: Cleanup, target: ProxyTarget): Promise<FaultProxy> {
    const worker = new Worker(new URL('./fault-proxy-worker.js', import.meta.url), {
      workerData: target,
    });
    context.after(async () => {
      await worker.terminate();
    });
    const [port] = (await once(worker, 'message')) as [number];
    return new FaultProxy(worker, port);
  }

  /** "host:port" for `--peer`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async stall(direction: Direction = 'both'): Promise<void> {
    await this.#send({ kind: 'stall', direction });
  }

  async cut(): Promise<void> {
    await this.#send({ kind: 'cut' });
  }

  async halfClose(direction: 'forward' | 'backward'): Promise<void> {
    await this.#send({ kind: 'halfClose', direction });
  }

  async heal(): Promise<void> {
    await this.#send({ kind: 'heal' });
  }

  async setDelay(delayMs: number): Promise<void> {
    await this.#send({ kind: 'delay', delayMs });
  }

  async counters(): Promise<ProxyCounters> {
    return this.#send({ kind: 'counters' });
  }

  /** Resolves when the worker has carried the command out. */
  #send(command: ProxyCommand): Promise<ProxyCounters> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(command);
    });
  }
}
