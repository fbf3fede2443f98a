/** twinfs stop DIR: ends serving. */
import type { CommandModule } from 'yargs';
import { ask } from '../control/client.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { waitGone } from './gone.js';
import { findPlace } from './place.js';

interface StopArguments extends StateArguments {
  readonly DIR: string;
}

export const stopCommand = (_context: CliContext): CommandModule<object, StopArguments> => ({
  command: 'stop <DIR>',
  describe: 'End serving; DIR is an ordinary directory again',
  builder: (program) =>
    withDirectory(program).epilogue(examples([['stop /srv/data', 'the primary goes on alone']])),
  handler: async (args) => {
    const place = findPlace(args.DIR, args.state);
    await ask(place, { command: 'stop' });
    await waitGone(place);
  },
});
