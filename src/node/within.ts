/**
 * Waits for a promise, but not longer than `ms`: true when it resolved, false when it rejected or
 * is late.
 */
import type { Timers } from '../io/ports.js';

export function within(promise: Promise<unknown>, ms: number, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = timers.setTimer(ms, () => resolve(false));
    promise.then(
      () => {
        cancel();
        resolve(true);
      },
      () => {
        cancel();
        resolve(false);
      },
    );
  });
}
