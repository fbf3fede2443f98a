/**
 * When to dial again. Failed dials and links that broke before they were good are counted apart: a
 * peer that comes back is reached soon, while one that connects and breaks again and again is left
 * alone longer and longer, until a link has been good for LINK_GOOD_MS. Pure: randomness comes in.
 */
import { LINK_GOOD_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../limits.js';

/** Jitter spreads a delay over ±20 %, so that nodes that failed together do not return together. */
const JITTER = 0.2;

export class Backoff {
  #failedDials = 0;
  #shortLinks = 0;

  dialFailed(): void {
    this.#failedDials += 1;
  }

  /** The handshake succeeded. */
  connected(): void {
    this.#failedDials = 0;
  }

  /** A connected link broke after this long. */
  linkEnded(lifetimeMs: number): void {
    this.#shortLinks = lifetimeMs >= LINK_GOOD_MS ? 0 : this.#shortLinks + 1;
  }

  /** The operator wants it now. */
  reset(): void {
    this.#failedDials = 0;
    this.#shortLinks = 0;
  }

  /** Milliseconds until the next dial, within ±20 % of RECONNECT_MIN..MAX; `random` in [0, 1). */
  delayMs(random: number): number {
    const step = Math.max(this.#failedDials, this.#shortLinks, 1) - 1;
    // The exponent is bounded so that no count overflows; 2^20 × MIN is far above MAX.
    const delay = Math.min(RECONNECT_MIN_MS * 2 ** Math.min(step, 20), RECONNECT_MAX_MS);
    return Math.round(delay * (1 - JITTER + 2 * JITTER * random));
  }
}
