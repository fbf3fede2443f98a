/** twinfs serve DIR: this node becomes the secondary and keeps the copy. */
import type { CommandModule } from 'yargs';
import { withDaemonOptions, withDirectory, type DaemonArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { checkStart, configOf, launch } from './start.js';

interface ServeArguments extends DaemonArguments {
  readonly DIR: string;
  readonly listen: string;
  readonly 'discard-mine': boolean;
}

export const serveCommand = (context: CliContext): CommandModule<object, ServeArguments> => ({
  command: 'serve <DIR>',
  describe: 'Keep the copy of a mirror in DIR (this node becomes Secondary)',
  builder: (program) =>
    withDaemonOptions(withDirectory(program))
      .option('listen', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'HOST:PORT to listen on; the primary dials',
      })
      .option('discard-mine', {
        type: 'boolean',
        default: false,
        describe: 'Give up what only this copy has, and become the target',
      })
      .epilogue(
        examples([
          ['serve /srv/data --listen 127.0.0.1:7400', 'readable meanwhile, not writable'],
          ['serve /srv/data --listen 10.0.0.2:7400 --insecure', 'on a trusted network'],
          ['serve /srv/data --listen 127.0.0.1:7400 --discard-mine', 'after a split brain'],
        ]),
      ),
  handler: async (args) => {
    const { listen, discardMine } = args;
    const config = configOf(args, args.DIR, undefined, { start: 'serve', listen, discardMine });
    await checkStart(context, config);
    context.status = await launch(context, config, args.foreground);
  },
});
