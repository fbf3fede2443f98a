/** twinfs mode DIR MODE: another promise from now on, without a remount. */
import type { CommandModule } from 'yargs';
import { parseMode } from '../config/parse.js';
import { ask } from '../control/client.js';
import { MODES } from '../core/types.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { findPlace } from './place.js';
import { resultText } from './result.js';

interface ModeArguments extends StateArguments {
  readonly DIR: string;
  readonly MODE: string;
}

export const modeCommand = (context: CliContext): CommandModule<object, ModeArguments> => ({
  command: 'mode <DIR> <MODE>',
  describe: 'Change the mode of a mounted mirror',
  builder: (program) =>
    withDirectory(program)
      .positional('MODE', { type: 'string', demandOption: true, describe: MODES.join(', ') })
      .epilogue(
        examples([
          ['mode /srv/data async', 'before a bulk import'],
          ['mode /srv/data sync', 'after it: returns when the queue is durable on the peer'],
        ]),
      ),
  handler: async (args) => {
    const mode = parseMode(args.MODE);
    const text = resultText(await ask(findPlace(args.DIR, args.state), { command: 'mode', mode }));
    if (text !== null) context.print(text);
  },
});
