/**
 * The daemon's side of the control socket. It answers from the first moment on: while the node
 * still starts, with the reason why it cannot be asked yet.
 */
import { TwinfsError } from '../errors.js';
import { listenControl } from '../io/control-socket.js';
import type { Logger } from '../io/logger.js';
import type { RunningNode } from '../node/types.js';
import { decodeRequest, encodeReply, failureReply } from './requests.js';

export type Handler = RunningNode['handle'];

export interface ControlServer {
  /** From now on `handle` answers. */
  ready(handle: Handler): void;
  /** Stops listening; resolves when replies under way are sent. */
  close(): Promise<void>;
}

export async function startControlServer(stateDir: string, log: Logger): Promise<ControlServer> {
  let handler: Handler = () => Promise.reject(stillStarting());
  const listener = await listenControl(stateDir, (line) => answer(line, handler, log));
  return {
    ready: (handle) => {
      handler = handle;
    },
    close: () => listener.close(),
  };
}

const stillStarting = (): TwinfsError =>
  new TwinfsError(
    'starting',
    'notRunning',
    `the daemon (process ${process.pid}) is still starting; try again in a moment`,
  );

/** One line in, one line out; never rejects. */
export async function answer(line: string, handle: Handler, log: Logger): Promise<string> {
  try {
    const request = decodeRequest(line);
    if (request.command !== 'status') log.info({ request }, 'control command');
    return encodeReply({ ok: true, result: (await handle(request)) ?? null });
  } catch (error) {
    const reply = failureReply(error);
    if (!reply.ok && reply.exit === 'bug') log.error({ err: error }, 'a control command failed');
    return encodeReply(reply);
  }
}
