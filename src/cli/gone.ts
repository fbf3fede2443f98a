/** Waiting for a daemon's process to end, so that the next command finds the locks free. */
import { isAlive } from '../io/processes.js';
import { pause, systemClock } from '../io/system-clock.js';
import { TwinfsError } from '../errors.js';
import { DAEMON_GONE_TIMEOUT_MS, WAIT_POLL_MS } from '../limits.js';
import type { Place } from './place.js';

export async function waitGone(place: Place): Promise<void> {
  const daemon = place.daemon;
  if (daemon === null) return;
  const deadline = systemClock.monotonicMs() + DAEMON_GONE_TIMEOUT_MS;
  // Short at first: mostly it is gone at once.
  for (let waitMs = 5; isAlive(daemon.pid); waitMs = Math.min(waitMs * 2, WAIT_POLL_MS)) {
    if (systemClock.monotonicMs() > deadline) {
      throw new TwinfsError(
        'daemon-lingers',
        'timedOut',
        `${place.shown} has ended, but its process ${daemon.pid} has not; see ${place.stateDir}/twinfs.log`,
      );
    }
    await pause(waitMs);
  }
}
