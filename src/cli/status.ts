/** twinfs status [DIR]: where a mirror stands, or all mirrors of this machine. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { showPath } from '../config/paths.js';
import { STATE_ROOT, pathOfStateName } from '../config/state-name.js';
import { ask } from '../control/client.js';
import type { Status } from '../control/messages.js';
import { TwinfsError } from '../errors.js';
import { deadMounts, peekRecord } from '../io/machine.js';
import { findDaemons, stateNames } from '../io/processes.js';
import { withState, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { findPlace, stateArgument, type Place } from './place.js';
import { statusText, stoppedText, type ViewOptions } from './status-view.js';

interface StatusArguments extends StateArguments {
  readonly DIR?: string | undefined;
  readonly json: boolean;
}

export const statusCommand = (context: CliContext): CommandModule<object, StatusArguments> => ({
  command: 'status [DIR]',
  describe: 'Show where a mirror stands; without DIR, all on this machine',
  builder: (program) =>
    withState(program)
      .positional('DIR', { type: 'string', describe: 'The protected directory' })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'For programs: one object, or without DIR a list',
      })
      .epilogue(
        examples([
          ['status', 'all mirrors'],
          ['status /srv/data', 'one of them'],
          ['status /srv/data --json | jq .data', 'for a script'],
        ]),
      ),
  handler: async (args) => {
    const view = { color: useColor(), now: Date.now() };
    if (args.DIR === undefined) await showAll(context, args, view);
    else await showOne(context, findPlace(args.DIR, args.state), args.json, view);
  },
});

const useColor = (): boolean =>
  process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';

async function showOne(
  context: CliContext,
  place: Place,
  json: boolean,
  view: ViewOptions,
): Promise<void> {
  let status: Status;
  try {
    status = (await ask(place, { command: 'status' })) as Status;
  } catch (error) {
    throw await explained(error, place);
  }
  context.print(json ? JSON.stringify(status, null, 2) : statusText(status, view));
}

/** "Nothing serves it" is worth a word more when a dead mount stands there. */
async function explained(error: unknown, place: Place): Promise<unknown> {
  if (!(error instanceof TwinfsError) || error.code !== 'not-running') return error;
  const dead = (await deadMounts(place.directory))[0] ?? (await deadMounts(place.named))[0];
  if (dead === undefined) return error;
  const where = showPath(dead.mountpoint);
  return new TwinfsError(
    'not-running',
    'notRunning',
    `the daemon of ${place.shown} is gone and its mount at ${where} is dead; the data is intact: ` +
      `clear it with "twinfs umount ${place.shown}", or start the daemon again`,
  );
}

/** What there is to say of one state directory. */
type Found =
  | { readonly status: Status }
  | { readonly directory: string; readonly state: string; readonly problem: string };

async function showAll(
  context: CliContext,
  args: StatusArguments,
  view: ViewOptions,
): Promise<void> {
  const states = args.state === undefined ? allStates() : [stateArgument(args.state)];
  const found = await Promise.all(states.map(lookAt));
  if (args.json) {
    const list = found.map((item) =>
      'status' in item ? item.status : { ...item, running: false },
    );
    context.print(JSON.stringify(list, null, 2));
    return;
  }
  if (found.length === 0) {
    context.print(
      'no mirrors on this machine; start one with "twinfs mount" or "twinfs serve" (see --help)',
    );
    return;
  }
  const texts = found.map((item) => {
    if ('status' in item) return statusText(item.status, view);
    return stoppedText(item.directory, item.state, peekRecord(item.state), view);
  });
  context.print(texts.join('\n\n'));
}

/** Those that run anywhere, and those that ran with the default state. */
function allStates(): string[] {
  const stopped = stateNames()
    .map((name) => join(STATE_ROOT, name))
    .filter((state) => peekRecord(state) !== null);
  return [...new Set([...findDaemons().map((daemon) => daemon.stateDir), ...stopped])].sort();
}

async function lookAt(state: string): Promise<Found> {
  const recorded = peekRecord(state)?.['directory'];
  const named = pathOfStateName(state.slice(state.lastIndexOf('/') + 1));
  const directory =
    typeof recorded === 'string' ? recorded : named === null ? state : showPath(named);
  try {
    const target = { stateDir: state, shown: directory };
    return { status: (await ask(target, { command: 'status' })) as Status };
  } catch (error) {
    const problem = error instanceof TwinfsError ? error.code : 'unexpected';
    return { directory, state, problem };
  }
}
