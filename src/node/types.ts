/**
 * What a running node offers to the process around it: the seam between the command line's daemon
 * (lock, control socket, signals, log) and the node itself (engine, stream, peer).
 */
import type { Config } from '../config/config.js';
import type { Request } from '../control/messages.js';
import type { ExitName } from '../errors.js';
import type { Logger } from '../io/logger.js';

export interface RunningNode {
  /**
   * One control command; resolves to its result (a Status for `status`), rejects with TwinfsError.
   */
  handle(request: Request): Promise<unknown>;
  /** The node's end, however it came: umount by anyone, stop, a fatal error. Never rejects. */
  readonly ended: Promise<{ readonly exit: ExitName; readonly message: string }>;
  /** Ends in good order (a mounted primary unmounts); `ended` follows. `signal` is for the log. */
  shutdown(signal: string): Promise<void>;
}

/** Resolves when DIR answers (mount) or the node listens (serve); rejects with TwinfsError. */
export type StartNode = (config: Config, log: Logger) => Promise<RunningNode>;
