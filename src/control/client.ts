/** The command line's side of the control socket. */
import { TwinfsError } from '../errors.js';
import { askControl, type AskFailure } from '../io/control-socket.js';
import { CONTROL_SLOW_TIMEOUT_MS, CONTROL_TIMEOUT_MS } from '../limits.js';
import type { Request } from './messages.js';
import { encodeRequest, openReply } from './requests.js';

/** Those that only look must not keep anybody waiting; the others wait for disks and the peer. */
const TIMEOUTS_MS: Readonly<Record<Request['command'], number>> = {
  status: CONTROL_TIMEOUT_MS,
  connect: CONTROL_SLOW_TIMEOUT_MS,
  mode: CONTROL_SLOW_TIMEOUT_MS,
  flush: CONTROL_SLOW_TIMEOUT_MS,
  stop: CONTROL_SLOW_TIMEOUT_MS,
  umount: CONTROL_SLOW_TIMEOUT_MS,
  promote: CONTROL_SLOW_TIMEOUT_MS,
};

export interface Target {
  readonly stateDir: string;
  /** The protected directory, for messages. */
  readonly shown: string;
}

/**
 * Asks the daemon of `target` and resolves to its result. Throws its TwinfsError, or `not-running`,
 * `no-access`, `control-closed`, `control-timeout`.
 */
export async function ask(
  target: Target,
  request: Request,
  timeoutMs = TIMEOUTS_MS[request.command],
): Promise<unknown> {
  const answer = await askControl(target.stateDir, encodeRequest(request), timeoutMs);
  if ('reply' in answer) return openReply(answer.reply);
  throw failed(answer.failure, target, request.command, timeoutMs);
}

function failed(
  failure: AskFailure,
  { stateDir, shown }: Target,
  command: string,
  timeoutMs: number,
): TwinfsError {
  switch (failure) {
    case 'no-daemon':
      return new TwinfsError(
        'not-running',
        'notRunning',
        `nothing serves ${shown} (state ${stateDir}); start it with "twinfs mount ${shown} --peer HOST:PORT" ` +
          `or "twinfs serve ${shown} --listen HOST:PORT"`,
      );
    case 'no-access':
      return new TwinfsError(
        'no-access',
        'notRoot',
        `the daemon of ${shown} answers root only; run this with sudo`,
      );
    case 'closed':
      return new TwinfsError(
        'control-closed',
        'failed',
        `the daemon of ${shown} ended before it answered; its log is in ${stateDir}/twinfs.log`,
      );
    case 'timed-out':
      return new TwinfsError(
        'control-timeout',
        'timedOut',
        `"${command}" was not done within ${timeoutMs / 1000} s; the daemon of ${shown} goes on with it: ` +
          `see "twinfs status ${shown}"`,
      );
  }
}
