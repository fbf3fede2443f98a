/** Waits until both copies are UpToDate, showing how far the resync is. */
import { ask, type Target } from '../control/client.js';
import type { Status } from '../control/messages.js';
import { TwinfsError } from '../errors.js';
import { pause, systemClock } from '../io/system-clock.js';
import { WAIT_CONNECT_TIMEOUT_MS, WAIT_POLL_MS } from '../limits.js';
import { interruption } from './interrupt.js';
import { syncLine } from './status-view.js';

export const isSynced = (status: Status): boolean =>
  status.link === 'Connected' &&
  status.replication === 'Established' &&
  status.data === 'UpToDate' &&
  status.peer.data === 'UpToDate';

/**
 * Throws `refused` when the link stands alone, `peer-unreachable` when there was no connection for
 * WAIT_CONNECT_TIMEOUT_MS, and what the daemon says when it ends. The mount stays in every case.
 */
export async function waitSynced(target: Target): Promise<void> {
  let interrupted = false;
  void interruption().then(() => {
    interrupted = true;
  });
  let connectedAt = systemClock.monotonicMs();
  const line = progressLine();
  try {
    for (;;) {
      const status = (await ask(target, { command: 'status' })) as Status;
      if (isSynced(status)) return;
      const now = systemClock.monotonicMs();
      if (status.link === 'Connected') connectedAt = now;
      refuseHopeless(status, target, now - connectedAt);
      if (interrupted) throw gaveUp(target);
      line.show(status.sync === null ? `${status.link} …` : syncLine(status.sync));
      await pause(WAIT_POLL_MS);
    }
  } finally {
    line.clear();
  }
}

function refuseHopeless(status: Status, target: Target, silentMs: number): void {
  if (status.link === 'StandAlone') {
    throw new TwinfsError(
      'stand-alone',
      'refused',
      `${target.shown} is mounted, but not mirrored: ${status.reason ?? 'the link stands alone'}`,
    );
  }
  if (silentMs <= WAIT_CONNECT_TIMEOUT_MS) return;
  throw new TwinfsError(
    'peer-unreachable',
    'peerUnreachable',
    `${target.shown} is mounted and goes on trying, but ${status.peer.address ?? 'the peer'} ` +
      `has not answered for ${WAIT_CONNECT_TIMEOUT_MS / 1000} s; is "twinfs serve" running there?`,
  );
}

const gaveUp = (target: Target): TwinfsError =>
  new TwinfsError(
    'interrupted',
    'failed',
    `stopped waiting; ${target.shown} stays mounted and goes on synchronising`,
  );

/** One line on a terminal's stderr, written over itself; nothing where there is no terminal. */
function progressLine(): { show(text: string): void; clear(): void } {
  const write = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  return {
    show: (text) => write(text.slice(0, Math.max(0, (process.stderr.columns ?? 80) - 1))),
    clear: () => write(''),
  };
}
