/** twinfs version: what to put into a report. */
import type { CommandModule } from 'yargs';
import { release } from 'node:os';
import { VERSION } from '../version.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';

export const versionCommand = (context: CliContext): CommandModule<object, object> => ({
  command: 'version',
  describe: 'Show the version',
  builder: (program) => program.epilogue(examples([['version', 'twinfs, Node.js and kernel']])),
  handler: () => {
    context.print(`twinfs ${VERSION} (Node.js ${process.version}, Linux ${release()})`);
  },
});
