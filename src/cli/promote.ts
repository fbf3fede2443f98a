/** twinfs promote DIR: the serving node becomes the primary and mounts its copy in place. */
import type { CommandModule } from 'yargs';
import { parseMode, peerArgument } from '../config/parse.js';
import { ask } from '../control/client.js';
import { MODES } from '../core/types.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { findPlace } from './place.js';
import { resultText } from './result.js';

interface PromoteArguments extends StateArguments {
  readonly DIR: string;
  readonly peer?: string | undefined;
  readonly mode?: string | undefined;
  readonly force: boolean;
  readonly insecure: boolean;
}

export const promoteCommand = (context: CliContext): CommandModule<object, PromoteArguments> => ({
  command: 'promote <DIR>',
  describe: 'Make the serving node the primary: failover',
  builder: (program) =>
    withDirectory(program)
      .option('peer', {
        type: 'string',
        requiresArg: true,
        describe: 'HOST:PORT where the old primary will serve when it is back',
      })
      .option('mode', {
        type: 'string',
        requiresArg: true,
        choices: MODES,
        describe: 'Mode from now on (default: as it was)',
      })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'Although the primary answers, or this copy is Outdated or Inconsistent',
      })
      .option('insecure', {
        type: 'boolean',
        default: false,
        describe: 'Allow an unencrypted link beyond this machine',
      })
      .epilogue(
        examples([
          ['promote /srv/data', 'the primary is dead: carry on here'],
          ['promote /srv/data --peer 127.0.0.1:7401', 'and mirror to the old one once back'],
        ]),
      ),
  handler: async (args) => {
    const peer = peerArgument(args.peer, args.insecure);
    const mode = args.mode === undefined ? null : parseMode(args.mode);
    const place = findPlace(args.DIR, args.state);
    const result = await ask(place, { command: 'promote', peer, mode, force: args.force });
    context.print(`${place.shown} is Primary here now`);
    const text = resultText(result);
    if (text !== null) context.print(text);
  },
});
