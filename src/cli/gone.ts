/** Waiting for a daemon's process to end, so that the next command finds the locks free. */
import { isAlive } from '../io/processes.js';
import { pause, systemClock } from '../io/system-clock.js';
import { TwinfsError } from '../errors.js';
import { DAEMON_GONE_TIMEOUT_MS, WAIT_POLL_MS } from '../limits.js';
import { defaultLogFile } from './common.js';
import type { Place } from './place.js';

/** Throws `daemon-lingers` when it has not ended within DAEMON_GONE_TIMEOUT_MS. */
export async function waitGone(place: Place): Promise<void> {
  if (await isGone(place, DAEMON_GONE_TIMEOUT_MS)) return;
  const log = defaultLogFile(place.stateDir);
  throw new TwinfsError(
    'daemon-lingers',
    'timedOut',
    `${place.shown} has ended, but its process ${place.daemon?.pid} has not; see ${log}`,
  );
}

/** Waits for the end of the process found before, at most so long. */
export async function isGone(place: Place, timeoutMs: number): Promise<boolean> {
  const daemon = place.daemon;
  if (daemon === null) return true;
  const deadline = systemClock.monotonicMs() + timeoutMs;
  // Short at first: mostly it is gone at once.
  for (let waitMs = 5; isAlive(daemon.pid); waitMs = Math.min(waitMs * 2, WAIT_POLL_MS)) {
    if (systemClock.monotonicMs() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}
