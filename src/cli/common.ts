/** Options that several commands share, and what they mean. */
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { STATE_ROOT } from '../config/state-name.js';
import { ENGINES } from '../config/parse.js';
import { DEFAULT_OPTIONS, OPTION_KEYS } from '../config/options.js';
import { LOG_LEVELS } from '../io/logger.js';

export interface StateArguments {
  readonly state?: string | undefined;
}

export const withState = <T>(program: Argv<T>) =>
  program.option('state', {
    type: 'string',
    requiresArg: true,
    describe: `State directory (default: below ${STATE_ROOT}, named after DIR)`,
  });

export const withDirectory = <T>(program: Argv<T>) =>
  withState(program).positional('DIR', {
    type: 'string',
    demandOption: true,
    describe: 'The protected directory',
  });

/** Options of the commands that start a daemon. */
export interface DaemonArguments extends StateArguments {
  readonly log?: string | undefined;
  readonly 'log-level': string;
  readonly foreground: boolean;
  readonly insecure: boolean;
  readonly force: boolean;
  readonly o: string[];
  readonly engine: string;
}

const MIB = 1024 * 1024;

const OPTION_HELP =
  `Further options, repeated or comma separated: ${OPTION_KEYS.join(', ')} ` +
  `(defaults: peer_timeout=${DEFAULT_OPTIONS.peerTimeoutMs / 1000}s, ` +
  `on_peer_loss=${DEFAULT_OPTIONS.onPeerLoss}, queue_bytes=${DEFAULT_OPTIONS.queueBytes / MIB}M, ` +
  `workers=${DEFAULT_OPTIONS.workers})`;

export const withDaemonOptions = <T>(program: Argv<T>) =>
  program
    .option('o', {
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
      defaultDescription: 'none',
      describe: OPTION_HELP,
    })
    .option('engine', {
      type: 'string',
      requiresArg: true,
      choices: ENGINES,
      default: 'native',
      describe: 'native (all of a filesystem), or fuse-native (portable, plain files of one user)',
    })
    .option('log', {
      type: 'string',
      requiresArg: true,
      describe: 'Log file (default: twinfs.log in the state directory)',
    })
    .option('log-level', {
      type: 'string',
      requiresArg: true,
      choices: LOG_LEVELS,
      default: 'info',
      describe: 'What goes to the log',
    })
    .option('foreground', {
      type: 'boolean',
      default: false,
      describe: 'Stay in the foreground and log to stderr',
    })
    .option('insecure', {
      type: 'boolean',
      default: false,
      describe: 'Allow an unencrypted link beyond this machine',
    })
    .option('force', {
      type: 'boolean',
      default: false,
      describe: 'Start although DIR is in use, or does not fit its record',
    });

export const defaultLogFile = (stateDir: string): string => join(stateDir, 'twinfs.log');
