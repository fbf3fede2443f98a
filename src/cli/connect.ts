/** twinfs connect DIR: try the peer again now, with the operator's word on which copy is good. */
import type { CommandModule } from 'yargs';
import { peerArgument } from '../config/parse.js';
import { ask } from '../control/client.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { findPlace } from './place.js';
import { resultText } from './result.js';

interface ConnectArguments extends StateArguments {
  readonly DIR: string;
  readonly peer?: string | undefined;
  readonly insecure: boolean;
  readonly 'overwrite-peer': boolean;
}

export const connectCommand = (context: CliContext): CommandModule<object, ConnectArguments> => ({
  command: 'connect <DIR>',
  describe: 'Try the peer again now',
  builder: (program) =>
    withDirectory(program)
      .option('peer', {
        type: 'string',
        requiresArg: true,
        describe: 'HOST:PORT of the peer from now on (default: as it was)',
      })
      .option('insecure', {
        type: 'boolean',
        default: false,
        describe: 'Allow an unencrypted link beyond this machine',
      })
      .option('overwrite-peer', {
        type: 'boolean',
        default: false,
        describe: 'This copy is the good one: make the peer like it, whatever it holds',
      })
      .epilogue(
        examples([
          ['connect /srv/data', 'after a refusal whose cause is gone'],
          ['connect /srv/data --peer 127.0.0.1:7401', 'the peer has moved'],
          ['connect /srv/data --overwrite-peer', 'after a split brain: this copy wins'],
        ]),
      ),
  handler: async (args) => {
    const place = findPlace(args.DIR, args.state);
    const peer = peerArgument(args.peer, args.insecure);
    const { overwritePeer } = args;
    const text = resultText(await ask(place, { command: 'connect', overwritePeer, peer }));
    if (text !== null) context.print(text);
  },
});
