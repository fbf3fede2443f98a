/** twinfs demo: the show itself is in demo.ts, loaded only when it is wanted. */
import type { CommandModule } from 'yargs';
import { MODES } from '../core/types.js';
import { TwinfsError } from '../errors.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';

/** Words after "demo" → exit status. */
type RunDemo = (args: readonly string[]) => Promise<number>;

export const demoCommand = (context: CliContext): CommandModule<object, object> => ({
  command: 'demo',
  describe: 'See it work: two nodes on this machine, a crash, a failover',
  builder: (program) =>
    program
      .strict(false)
      .option('mode', { type: 'string', choices: MODES, describe: 'Mode of the mirror (sync)' })
      .option('seconds', {
        type: 'string',
        describe: 'How long applications run before each event (6)',
      })
      .option('no-postgres', {
        type: 'boolean',
        describe: 'Without PostgreSQL, which takes most of the time',
      })
      .epilogue(
        examples([
          ['demo', 'takes a few minutes, ends clean'],
          ['demo --mode semi-sync --no-postgres', 'half a minute'],
        ]),
      ),
  handler: async () => {
    const run = await loadDemo();
    context.status = await run(context.argv.slice(1));
  },
});

async function loadDemo(): Promise<RunDemo> {
  try {
    const module = (await import(new URL('./demo.js', import.meta.url).href)) as {
      runDemo: RunDemo;
    };
    return module.runDemo;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new TwinfsError('no-demo', 'failed', 'the demo is not part of this build');
  }
}
