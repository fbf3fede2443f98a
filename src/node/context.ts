/** What both roles of a node share. */
import type { Config } from '../config/config.js';
import type { Id } from '../core/types.js';
import type { TwinfsError } from '../errors.js';
import type { Logger } from '../io/logger.js';
import type { Clock, Timers } from '../io/ports.js';
import type { RecordKeeper } from './record-keeper.js';

export interface NodeContext {
  readonly config: Config;
  readonly record: RecordKeeper;
  /**
   * DIR itself, opened before anything was mounted over it; writable whatever is mounted there now.
   */
  readonly rootFd: number;
  /** Random per process: watermarks and refs are valid within one instance only. */
  readonly instance: Id;
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Ends the node at once with this error: nothing may be answered any more. */
  fatal(error: TwinfsError): void;
}
