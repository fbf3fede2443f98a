/**
 * argv → command → exit status. Every error becomes one line on stderr and its documented exit
 * status.
 */
import yargs from 'yargs';
import { TwinfsError, errorText } from '../errors.js';
import { VERSION } from '../version.js';
import { connectCommand } from './connect.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { demoCommand } from './demo-command.js';
import { reportFailure } from './failure.js';
import { flushCommand } from './flush.js';
import { modeCommand } from './mode.js';
import { mountCommand } from './mount.js';
import { promoteCommand } from './promote.js';
import { serveCommand } from './serve.js';
import { statusCommand } from './status.js';
import { stopCommand } from './stop.js';
import { umountCommand } from './umount.js';
import { plainWords, usageText } from './usage-text.js';
import { versionCommand } from './version.js';

const EPILOGUE =
  'A mirror is one directory on two servers, kept identical in real time: "twinfs serve" on one, ' +
  '"twinfs mount" on the other. Exit statuses, options and recovery are in twinfs(8) and ' +
  'docs/operations.md.';

const HELP_WIDTH_MAX = 100;

/** Never rejects; resolves to the exit status. */
export async function runProgram(context: CliContext): Promise<number> {
  try {
    await buildProgram(context).parseAsync();
    return context.status;
  } catch (error) {
    return reportFailure(context, error, hint(error, context.argv));
  }
}

function buildProgram(context: CliContext) {
  return yargs(plainWords(context.argv))
    .scriptName('twinfs')
    .usage('$0 COMMAND [ARGUMENTS]')
    .locale('en')
    .parserConfiguration({
      'boolean-negation': false,
      'dot-notation': false,
      'greedy-arrays': false,
    })
    .command(mountCommand(context))
    .command(umountCommand(context))
    .command(serveCommand(context))
    .command(stopCommand(context))
    .command(promoteCommand(context))
    .command(connectCommand(context))
    .command(statusCommand(context))
    .command(modeCommand(context))
    .command(flushCommand(context))
    .command(demoCommand(context))
    .command(versionCommand(context))
    .demandCommand(1, 'a command is missing')
    .strictCommands()
    .strict()
    .check(refuseTwice)
    .help()
    .alias('help', 'h')
    .version(VERSION)
    .wrap(Math.min(HELP_WIDTH_MAX, process.stdout.columns ?? HELP_WIDTH_MAX))

    .epilogue(
      `${examples([
        ['serve /srv/data --listen 127.0.0.1:7400', 'on the one node'],
        ['mount /srv/data --peer 127.0.0.1:7400', 'on the other (here: through a tunnel)'],
        ['COMMAND --help', 'arguments and examples of a command'],
      ])}\n\n${EPILOGUE}`,
    )
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw usageError(message, error);
    });
}

/** The second of two values would silently win or be joined: neither is what was meant. */
function refuseTwice(args: Record<string, unknown>): true {
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && name !== '_' && name !== 'o') {
      throw new TwinfsError('given-twice', 'usage', `--${name} is given twice`);
    }
  }
  return true;
}

function usageError(message: string | null, error: Error | undefined): Error {
  // An error that a command threw, or our own check; what yargs finds itself comes as a message.
  if (error instanceof TwinfsError || (error !== undefined && error.name !== 'YError')) {
    return error;
  }
  return new TwinfsError('usage', 'usage', usageText(message ?? errorText(error)));
}

function hint(error: unknown, argv: readonly string[]): string {
  if (!(error instanceof TwinfsError) || error.exit !== 'usage') return '';
  const command = argv.find((word) => /^[a-z]+$/.test(word)) ?? '';
  return ` (see "twinfs ${COMMANDS.includes(command) ? `${command} ` : ''}--help")`;
}

const COMMANDS: readonly string[] = [
  'mount',
  'umount',
  'serve',
  'stop',
  'promote',
  'connect',
  'status',
  'mode',
  'flush',
  'demo',
  'version',
];
