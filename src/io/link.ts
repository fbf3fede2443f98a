/**
 * One connection to the peer, as messages. Interface only: tcp-link.ts is the real one.
 */
import type { Message } from '../wire/messages.js';

export interface LinkEvents {
  /** Called in order, one at a time, on the event loop; never after `closed`. */
  message(message: Message): void;
  /**
   * Exactly once, however the connection ends. `reason` is one sentence; `code` is stable
   * ("peer-closed", "link-error", "frame-too-long", "bad-checksum", "closed-here" …).
   */
  closed(code: string, reason: string): void;
  /** `pendingBytes` fell below the low-water mark after `send` had returned false. */
  drained(): void;
}

export interface Link {
  readonly remote: string;
  /**
   * Takes the message at once, in order. False: the caller should wait for `drained`. Ignored once
   * closed.
   */
  send(message: Message): boolean;
  /** Bytes taken and not yet accepted by the kernel. */
  readonly pendingBytes: number;
  /** Milliseconds (monotonic clock) when bytes were last received. */
  readonly heardAt: number;
  /** Stops and restarts delivery of messages (bounded buffering: the socket is paused). */
  pause(): void;
  resume(): void;
  /** Sends what is pending, then closes; `closed` follows with code "closed-here". */
  end(): void;
  /** Closes at once. */
  destroy(code: string, reason: string): void;
}
