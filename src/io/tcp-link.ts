/**
 * A Link over one TCP socket. What it sees to: a single message leaves in the same turn, many in
 * one turn share a system call; large frames are read straight to where they stay; messages are
 * held, not lost, while paused; a broken frame is answered with its reason before the connection
 * goes; `closed` comes exactly once.
 */
import * as net from 'node:net';
import { formatAddress } from '../config/address.js';
import type { Address } from '../config/config.js';
import { errorText, TwinfsError } from '../errors.js';
import {
  LINK_KEEPALIVE_MS,
  LINK_LINGER_MS,
  LINK_SEND_HIGH_BYTES,
  LINK_SEND_LOW_BYTES,
} from '../limits.js';
import { decode, encode } from '../wire/codec.js';
import { FrameDecoder, type Frame } from '../wire/frame.js';
import { initHash } from '../wire/hash.js';
import type { Message } from '../wire/messages.js';
import { ProtocolError } from '../wire/protocol-error.js';
import type { Link, LinkEvents } from './link.js';
import { systemClock } from './system-clock.js';

export interface LinkOptions {
  /** False only where the channel protects the bytes itself (TLS); both ends must agree. */
  readonly checksum: boolean;
}

/** Without TCP_NODELAY a small commit would wait for a delayed acknowledgement. */
export const socketOptions = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: LINK_KEEPALIVE_MS,
} as const;

/** Called with a link that is connected; nothing is delivered before it has returned its events. */
export type LinkStart = (link: Link) => LinkEvents;

/**
 * `open`: as usual. `ending`: `end` was called, what comes in is dropped. `closed`: `closed` is
 * said or about to be; the socket may still hand over what was sent.
 */
type State = 'open' | 'ending' | 'closed';

export class TcpLink implements Link {
  readonly remote: string;
  readonly #checksum: boolean;
  readonly #decoder: FrameDecoder;
  /** Decoded and not yet delivered: no more than one read brings. */
  readonly #inbox: Message[] = [];
  readonly #events: LinkEvents;
  readonly #socket: net.Socket;
  #state: State = 'open';
  #failure: ProtocolError | null = null;
  #paused = false;
  #delivering = false;
  #waiting = false;
  #gathering = false;
  #heardAt = systemClock.monotonicMs();
  #linger: NodeJS.Timeout | null = null;

  /** The socket is connected, made with `socketOptions`, and not read from yet. */
  constructor(socket: net.Socket, start: LinkStart, options: LinkOptions) {
    this.#socket = socket;
    this.#checksum = options.checksum;
    this.#decoder = new FrameDecoder(options);
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    socket.on('error', (error) => this.#close('link-error', brokenText(error)));
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#gone());
    this.#events = start(this);
    socket.on('data', (chunk) => this.#received(chunk));
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  /**
   * The first message of a turn goes to the kernel at once, for its latency; more of the same turn
   * are gathered into one writev(2) at its end.
   */
  send(message: Message): boolean {
    if (this.#state !== 'open') return false;
    this.#write(encode(message, { checksum: this.#checksum }));
    if (!this.#gathering) {
      this.#gathering = true;
      this.#socket.cork();
      process.nextTick(this.#release);
    }
    if (this.pendingBytes > LINK_SEND_HIGH_BYTES) this.#waiting = true;
    return !this.#waiting;
  }

  readonly #release = (): void => {
    this.#gathering = false;
    this.#socket.uncork();
  };

  #write(parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, this.pendingBytes);
    const written = bytes > LINK_SEND_LOW_BYTES ? this.#written : undefined;
    if (parts.length > 1) this.#socket.cork();
    for (const part of parts) this.#socket.write(part, written);
    if (parts.length > 1) this.#socket.uncork();
  }

  readonly #written = (): void => {
    if (!this.#waiting || this.#state !== 'open' || this.pendingBytes > LINK_SEND_LOW_BYTES) return;
    this.#waiting = false;
    this.#events.drained();
  };

  pause(): void {
    if (this.#state !== 'open') return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state !== 'open') return;
    this.#paused = false;
    // Not from here: the caller may be in the midst of something that a message would disturb.
    if (!this.#delivering) process.nextTick(() => this.#deliver());
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#flushAndEnd();
  }

  destroy(code: string, reason: string): void {
    this.#close(code, reason);
    this.#socket.destroy();
  }

  #flushAndEnd(): void {
    this.#socket.resume();
    this.#socket.end();
    this.#cutSoon();
  }

  /** What is pending has LINK_LINGER_MS to go; what comes in meanwhile is read and dropped. */
  #cutSoon(): void {
    this.#linger ??= setTimeout(() => this.#socket.destroy(), LINK_LINGER_MS);
  }

  #received(chunk: Buffer): void {
    if (this.#state !== 'open' || this.#failure !== null) return;
    this.#heardAt = systemClock.monotonicMs();
    try {
      this.#decoder.push(chunk, this.#take);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
    }
    this.#deliver();
  }

  readonly #take = (frame: Frame): void => {
    this.#inbox.push(decode(frame));
  };

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    let at = 0;
    for (; at < this.#inbox.length && this.#mayDeliver(); at += 1) {
      const message = this.#inbox[at];
      if (message !== undefined) this.#events.message(message);
    }
    this.#inbox.splice(0, at);
    this.#delivering = false;
    if (!this.#mayDeliver()) return;
    if (this.#failure !== null) this.#refuse(this.#failure);
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #mayDeliver(): boolean {
    return this.#state === 'open' && !this.#paused;
  }

  /** Says what was wrong before going, so that the other side's operator reads it too. */
  #refuse(failure: ProtocolError): void {
    this.send({ type: 'refuse', code: failure.code, text: failure.message });
    this.#close(failure.code, failure.message);
    this.#flushAndEnd();
  }

  #ended(): void {
    if (this.#state === 'open') this.#close('peer-closed', 'the peer closed the connection');
    this.#cutSoon();
  }

  #gone(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    if (this.#state === 'ending') this.#close('closed-here', 'closed on this side');
    this.#close('link-error', 'the connection broke');
  }

  #close(code: string, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#inbox.length = 0;
    process.nextTick(() => this.#events.closed(code, reason));
  }
}

function brokenText(error: Error): string {
  return `the connection broke: ${errorText(error)}`;
}

export interface ConnectOptions extends LinkOptions {
  readonly timeoutMs: number;
  /** Gives up at once; the promise rejects with "peer-unreachable". */
  readonly signal?: AbortSignal;
}

/**
 * Dials. Rejects with TwinfsError "peer-unreachable" when nobody answers within the time, or the
 * system says why not.
 */
export async function connectLink(
  address: Address,
  options: ConnectOptions,
  start: LinkStart,
): Promise<Link> {
  await initHash();
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address.host, port: address.port, ...socketOptions });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      socket.off('error', failed);
    };
    const fail = (why: string): void => {
      settle();
      socket.destroy();
      reject(unreachable(address, why));
    };
    const failed = (error: Error): void => fail(errorText(error));
    const aborted = (): void => fail('given up');
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', aborted);
    socket.once('error', failed);
    socket.once('connect', () => {
      settle();
      resolve(new TcpLink(socket, start, options));
    });
    if (signal?.aborted === true) aborted();
  });
}

function unreachable(address: Address, why: string): TwinfsError {
  return new TwinfsError(
    'peer-unreachable',
    'peerUnreachable',
    `the peer ${formatAddress(address)} cannot be reached (${why}); ` +
      'check that it serves ("twinfs serve") and that its address and port are these',
  );
}
