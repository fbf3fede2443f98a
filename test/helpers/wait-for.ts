/**
 * Polling to a deadline, the tests' only way to wait: a fixed sleep is either too short on a busy
 * machine or too long on an idle one.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Calls `check` until it gives something truthy, and returns that. Errors it throws count as "not
 * yet". At the deadline it throws, naming `what`, the last value and the last error.
 */
export async function waitFor<T>(
  what: string,
  check: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const value = await check();
      if (value) return value;
      last = `last value: ${JSON.stringify(value)}`;
    } catch (error) {
      last = `last error: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; ${last}`);
    }
    await delay(options.everyMs ?? 20);
  }
}
