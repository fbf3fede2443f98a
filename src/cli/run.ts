/**
 * argv → exit status. The background process goes its own way: it needs none of what reads a
 * person's command line, and lives long enough for those megabytes to matter.
 */
import { DAEMON_COMMAND } from '../io/daemon.js';
import type { CliContext } from './context.js';

/** Never rejects. */
export async function runCli(context: CliContext): Promise<number> {
  if (context.argv[0] === DAEMON_COMMAND) {
    const { runBackground } = await import('./daemon.js');
    return runBackground(context);
  }
  const { runProgram } = await import('./program.js');
  return runProgram(context);
}
