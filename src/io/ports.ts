/**
 * The outside world as small interfaces, so that everything above can run on a simulated one: real versions
 * stand beside (system-clock.ts), tests bring their own.
 */

export interface Clock {
  /** Milliseconds, with fractions, of a clock that never goes back; its zero means nothing. */
  monotonicMs(): number;
}

export interface Timers {
  /** Calls `fn` once, not before `ms` milliseconds; the result cancels it (harmless afterwards). */
  setTimer(ms: number, fn: () => void): () => void;
  /** Calls `fn` on the next turn of the event loop, after the I/O that is ready now. Cannot be cancelled. */
  soon(fn: () => void): void;
}
