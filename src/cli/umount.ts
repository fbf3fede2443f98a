/** twinfs umount DIR: ends the primary in good order, or clears what a killed one left mounted. */
import type { CommandModule } from 'yargs';
import { showPath } from '../config/paths.js';
import { usersText } from '../config/validate.js';
import { ask } from '../control/client.js';
import { TwinfsError } from '../errors.js';
import { deadMounts, detach } from '../io/machine.js';
import { findUsers } from '../io/processes.js';
import { withDirectory, type StateArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { isGone, waitGone } from './gone.js';
import { findPlace, type Place } from './place.js';

interface UmountArguments extends StateArguments {
  readonly DIR: string;
  readonly lazy: boolean;
}

const LAZY_LOOK_MS = 1_000;

export const umountCommand = (context: CliContext): CommandModule<object, UmountArguments> => ({
  command: 'umount <DIR>',
  aliases: ['unmount'],
  describe: 'Unmount in good order, or clear the mount of a daemon that died',
  builder: (program) =>
    withDirectory(program)
      .option('lazy', {
        type: 'boolean',
        alias: 'l',
        default: false,
        describe: 'Take it out of sight now, although it is in use',
      })
      .epilogue(
        examples([
          ['umount /srv/data', 'everything is on the peer before it returns'],
          ['umount /srv/data --lazy', 'whoever has files open keeps them'],
        ]),
      ),
  handler: async (args) => {
    const place = findPlace(args.DIR, args.state);
    try {
      await ask(place, { command: 'umount', lazy: args.lazy });
    } catch (error) {
      if (!(error instanceof TwinfsError)) throw error;
      if (error.exit === 'inUse') throw named(error, place);
      if (error.code === 'not-running' && (await clearDead(context, place))) return;
      throw error;
    }
    await (args.lazy ? lookGone(context, place) : waitGone(place));
  },
});

/** Taken out of sight, a mount in use lives on until its last user has ended. */
async function lookGone(context: CliContext, place: Place): Promise<void> {
  if (await isGone(place, LAZY_LOOK_MS)) return;
  context.print(
    `${place.shown} is out of sight; process ${place.daemon?.pid} ends when nothing uses it any more`,
  );
}

/** "Busy" is worth little without who it is. The mount answers: it has just refused. */
function named(busy: TwinfsError, place: Place): TwinfsError {
  const users = findUsers(place.daemon?.mountpoint ?? place.named);
  if (users.length === 0) return busy;
  const { code, exit, message } = busy;
  return new TwinfsError(code, exit, `${message} (${usersText(users)})`);
}

/** True when there was something to clear. */
async function clearDead(context: CliContext, place: Place): Promise<boolean> {
  const dead = await deadMounts(place.directory);
  const other = place.named.equals(place.directory) ? [] : await deadMounts(place.named);
  const ids = new Set(dead.map((entry) => entry.id));
  const all = [...dead, ...other.filter((entry) => !ids.has(entry.id))];
  for (const entry of all) {
    await detach(entry.mountpoint);
    context.print(
      `cleared the dead mount at ${showPath(entry.mountpoint)}; the data is as the daemon left it`,
    );
  }
  return all.length > 0;
}
