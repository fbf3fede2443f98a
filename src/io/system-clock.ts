/** The real clock and timers. */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import type { Clock, Timers } from './ports.js';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
};

/** A timer keeps the process alive until it is cancelled or has run. */
export const systemTimers: Timers = {
  setTimer(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  soon(fn) {
    setImmediate(fn);
  },
};

/** For commands that poll; the data path uses Timers. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => systemTimers.setTimer(ms, resolve));
