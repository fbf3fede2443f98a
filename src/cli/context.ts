/**
 * What the commands get from whoever runs them: the real process (main.ts) or a test's stand-in.
 */
import type { DaemonEntry } from '../io/daemon.js';
import type { StartNode } from '../node/types.js';

export interface CliContext {
  /** Script that a background process is started with; it must understand the daemon subcommand. */
  readonly entry: DaemonEntry;
  /** Loads the node; only a process that becomes a daemon does. */
  readonly loadNode: () => Promise<StartNode>;
  /** Arguments as given, without the interpreter and the script. */
  readonly argv: readonly string[];
  /** Writes to stdout; a line end is added. */
  print(text: string): void;
  /** Writes to stderr; a line end is added. */
  warn(text: string): void;
  /** Exit status of the command that ran. */
  status: number;
}
