/** What the command line said, already split by yargs, → one frozen Config. Pure. */
import { MODES, type Mode } from '../core/types.js';
import { TwinfsError } from '../errors.js';
import { checkPlaintext, parseAddress } from './address.js';
import type { Address, Config, EngineName } from './config.js';
import { parseOptions } from './options.js';

export const ENGINES: readonly EngineName[] = ['native', 'fuse-native'];

/** Paths are absolute and canonical; everything else is as typed. */
export interface StartArguments {
  readonly start: 'mount' | 'serve';
  readonly directory: Buffer;
  readonly mountpoint: Buffer;
  readonly stateDir: string;
  readonly logFile: string | null;
  readonly logLevel: string;
  readonly options: readonly string[];
  readonly insecure: boolean;
  readonly force: boolean;
  readonly peer?: string | undefined;
  readonly listen?: string | undefined;
  readonly mode?: string | undefined;
  readonly engine?: string | undefined;
  readonly requirePeer?: boolean | undefined;
  readonly overwritePeer?: boolean | undefined;
  readonly discardMine?: boolean | undefined;
}

/** Throws usage errors, and `plaintext` where --insecure is missing. */
export function makeConfig(args: StartArguments): Config {
  const peer = address(args.peer, '--peer', args.insecure);
  if (args.requirePeer === true && peer === null) {
    throw new TwinfsError('no-peer', 'usage', '--require-peer needs --peer HOST:PORT');
  }
  return Object.freeze({
    directory: args.directory,
    mountpoint: args.mountpoint,
    stateDir: args.stateDir,
    start: args.start,
    peer,
    listen: address(args.listen, '--listen', args.insecure),
    mode: parseMode(args.mode ?? DEFAULT_MODE),
    engine: parseEngine(args.engine ?? DEFAULT_ENGINE),
    requirePeer: args.requirePeer ?? false,
    insecure: args.insecure,
    overwritePeer: args.overwritePeer ?? false,
    discardMine: args.discardMine ?? false,
    force: args.force,
    options: parseOptions(args.options),
    logFile: args.logFile,
    logLevel: args.logLevel,
  });
}

/** The one that loses nothing: a weaker promise is the operator's own word. */
export const DEFAULT_MODE: Mode = 'sync';
export const DEFAULT_ENGINE: EngineName = 'native';

export function parseMode(text: string): Mode {
  const mode = MODES.find((candidate) => candidate === text);
  if (mode !== undefined) return mode;
  throw new TwinfsError(
    'bad-mode',
    'usage',
    `${text}: not a mode; the modes are ${MODES.join(', ')}`,
  );
}

function parseEngine(text: string): EngineName {
  const engine = ENGINES.find((candidate) => candidate === text);
  if (engine !== undefined) return engine;
  throw new TwinfsError(
    'bad-engine',
    'usage',
    `${text}: not an engine; there are ${ENGINES.join(' and ')}`,
  );
}

/** `--peer` of a command for a running node. */
export const peerArgument = (text: string | undefined, insecure: boolean): Address | null =>
  address(text, '--peer', insecure);

function address(text: string | undefined, option: string, insecure: boolean): Address | null {
  if (text === undefined) return null;
  const parsed = parseAddress(text, option);
  checkPlaintext(parsed, option, insecure);
  return Object.freeze(parsed);
}
