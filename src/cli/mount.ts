/** twinfs mount DIR [MOUNTPOINT]: this node becomes the primary of the mirror. */
import type { CommandModule } from 'yargs';
import { MODES } from '../core/types.js';
import { DEFAULT_MODE } from '../config/parse.js';
import { showPath } from '../config/paths.js';
import { withDaemonOptions, withDirectory, type DaemonArguments } from './common.js';
import type { CliContext } from './context.js';
import { examples } from './examples.js';
import { peerWarning } from './first-contact.js';
import { checkStart, configOf, launch } from './start.js';
import { waitSynced } from './wait-synced.js';

interface MountArguments extends DaemonArguments {
  readonly DIR: string;
  readonly MOUNTPOINT?: string | undefined;
  readonly peer?: string | undefined;
  readonly mode: string;
  readonly 'wait-synced': boolean;
  readonly 'require-peer': boolean;
  readonly 'overwrite-peer': boolean;
}

export const mountCommand = (context: CliContext): CommandModule<object, MountArguments> => ({
  command: 'mount <DIR> [MOUNTPOINT]',
  describe: 'Mount DIR, mirrored to the peer (this node becomes Primary)',
  builder: (program) =>
    withDaemonOptions(withDirectory(program))
      .positional('MOUNTPOINT', {
        type: 'string',
        describe: 'Where applications see it (default: DIR itself)',
      })
      .option('peer', {
        type: 'string',
        requiresArg: true,
        describe: 'HOST:PORT where the other node serves; without it nothing is replicated',
      })
      .option('mode', {
        type: 'string',
        requiresArg: true,
        choices: MODES,
        default: DEFAULT_MODE,
        describe: 'When an application gets its answer',
      })
      .option('wait-synced', {
        type: 'boolean',
        default: false,
        describe: 'Return when the peer is UpToDate, not as soon as DIR answers',
      })
      .option('require-peer', {
        type: 'boolean',
        default: false,
        describe: 'Refuse to start when the peer cannot be reached',
      })
      .option('overwrite-peer', {
        type: 'boolean',
        default: false,
        describe: 'This copy is the good one: make the peer like it, whatever it holds',
      })
      .epilogue(
        examples([
          ['mount /srv/data --peer 127.0.0.1:7400', 'protect /srv/data in place'],
          ['mount /srv/data /mnt/data --peer 127.0.0.1:7400 --mode semi-sync', 'elsewhere'],
          ['mount /srv/data --peer 127.0.0.1:7400 --wait-synced', 'return when UpToDate'],
          ['mount /srv/data --peer b:7400 --insecure -o peer_timeout=5s', 'trusted network'],
        ]),
      ),
  handler: async (args) => {
    const { peer, mode, requirePeer, overwritePeer } = args;
    const specific = { start: 'mount', peer, mode, requirePeer, overwritePeer } as const;
    const config = configOf(args, args.DIR, args.MOUNTPOINT, specific);
    await checkStart(context, config);
    context.status = await launch(context, config, args.foreground);
    if (args.foreground) return;
    const target = { stateDir: config.stateDir, shown: showPath(config.directory) };
    if (peer === undefined) {
      context.warn('twinfs: mounted without --peer: nothing is replicated');
    } else if (args.waitSynced) {
      await waitSynced(target);
    } else {
      const warning = await peerWarning(target);
      if (warning !== null) context.warn(`twinfs: ${warning}`);
    }
  },
});
