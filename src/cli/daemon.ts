/**
 * The background process itself: started by mount and serve, not by people, so no help shows it.
 */
import type { CommandModule } from 'yargs';
import { meetParent } from '../io/daemon.js';
import { openLog } from '../io/logger.js';
import type { CliContext } from './context.js';
import { runDaemon } from './run-daemon.js';

export const daemonCommand = (context: CliContext): CommandModule<object, object> => ({
  command: 'daemon [words..]',
  describe: false,
  builder: (program) => program.option('state', { type: 'string' }),
  handler: async () => {
    const parent = await meetParent();
    const { config } = parent;
    const output = openLog({ level: config.logLevel, file: config.logFile, terminal: null });
    const { loadNode } = context;
    const status = await runDaemon({ config, output, loadNode, parent, hangupEnds: false });
    // What the node may still hold (sockets, threads) must not keep the process.
    process.exit(status);
  },
});
