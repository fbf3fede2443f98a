/** twinfs flush DIR: the barrier for the whole mount, which sync(1) cannot be on FUSE. */
import type { CommandModule } from 'yargs';
import { ask } from '../control/client.js';
import { TwinfsError } from '../errors.js';
import { CONTROL_SLOW_TIMEOUT_MS } from '../limits.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { findPlace } from './place.js';
import { resultText } from './result.js';

interface FlushArguments extends StateArguments {
  readonly DIR: string;
  readonly timeout: number;
}

const TIMEOUT_SECONDS_MAX = 86_400;

export const flushCommand = (context: CliContext): CommandModule<object, FlushArguments> => ({
  command: 'flush <DIR>',
  describe: 'Wait until everything so far is durable on both nodes',
  builder: (program) =>
    withDirectory(program)
      .option('timeout', {
        type: 'number',
        requiresArg: true,
        default: CONTROL_SLOW_TIMEOUT_MS / 1000,
        describe: 'Seconds to wait (exit 15 when it was not enough)',
      })
      .epilogue(
        examples([
          ['flush /srv/data', 'before a snapshot of the peer'],
          ['flush /srv/data --timeout 10', 'but not for longer than this'],
        ]),
      ),
  handler: async (args) => {
    const { timeout } = args;
    if (!(timeout > 0 && timeout <= TIMEOUT_SECONDS_MAX)) {
      throw new TwinfsError(
        'bad-timeout',
        'usage',
        `--timeout must be a number of seconds up to ${TIMEOUT_SECONDS_MAX}`,
      );
    }
    const place = findPlace(args.DIR, args.state);
    const text = resultText(await ask(place, { command: 'flush' }, timeout * 1000));
    if (text !== null) context.print(text);
  },
});
