/**
 * The background process itself: started by mount and serve, not by people, so no help shows it.
 */
import { meetParent } from '../io/daemon.js';
import { openLog } from '../io/logger.js';
import type { CliContext } from './context.js';
import { reportFailure } from './failure.js';
import { runDaemon } from './run-daemon.js';

/** Resolves to the exit status; the caller ends the process with it. */
export async function runBackground(context: CliContext): Promise<number> {
  try {
    const parent = await meetParent();
    const { config } = parent;
    const output = openLog({ level: config.logLevel, file: config.logFile, terminal: null });
    const { loadNode } = context;
    return await runDaemon({ config, output, loadNode, parent, hangupEnds: false });
  } catch (error) {
    return reportFailure(context, error);
  }
}
