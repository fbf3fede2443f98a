/**
 * A mount whose peer cannot be reached succeeds all the same, and says so: a glance at the link
 * right after the start, for as long as nothing is known of it.
 */
import { ask, type Target } from '../control/client.js';
import type { Status } from '../control/messages.js';
import { errorText } from '../errors.js';
import { pause, systemClock } from '../io/system-clock.js';
import { FIRST_CONTACT_TIMEOUT_MS, WAIT_POLL_MS } from '../limits.js';

/** Resolves to the warning, or to null when the peer is connected. Never rejects. */
export async function peerWarning(target: Target): Promise<string | null> {
  const deadline = systemClock.monotonicMs() + FIRST_CONTACT_TIMEOUT_MS;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, WAIT_POLL_MS)) {
    let status: Status;
    try {
      status = (await ask(target, { command: 'status' })) as Status;
    } catch (error) {
      return errorText(error);
    }
    if (status.link === 'Connected') return null;
    const isOver = systemClock.monotonicMs() > deadline;
    if (status.reason !== null || isOver) return warningOf(status, target);
    await pause(waitMs);
  }
}

function warningOf(status: Status, { shown }: Target): string {
  const address = status.peer.address ?? 'the peer';
  const reason = status.reason ?? `${address} has not answered yet`;
  return status.link === 'StandAlone'
    ? `${shown} is mounted, but not mirrored: ${reason}`
    : `${shown} is mounted alone and goes on trying: ${reason}`;
}
