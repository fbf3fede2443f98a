/** From what the user typed to the mirror that is meant: its directory, its state, its daemon. */
import { join } from 'node:path';
import { directoryOfMount, mountAt } from '../config/mounts.js';
import { showPath } from '../config/paths.js';
import { STATE_ROOT, stateName } from '../config/state-name.js';
import type { DaemonFacts } from '../config/validate.js';
import { TwinfsError } from '../errors.js';
import { argumentBytes, canonical, readMounts } from '../io/machine.js';
import { findDaemons } from '../io/processes.js';

export interface Place {
  /** What was named, canonical: the protected directory, or where it is mounted. */
  readonly named: Buffer;
  readonly directory: Buffer;
  /** For messages. */
  readonly shown: string;
  readonly stateDir: string;
  readonly daemon: DaemonFacts | null;
}

/** A path argument as canonical bytes. */
export function pathArgument(text: string, what: string): Buffer {
  if (text !== '') return canonical(argumentBytes(text), readMounts());
  throw new TwinfsError('empty-path', 'usage', `${what} is empty; name a directory`);
}

/**
 * `--state` as an absolute path. It must be text: it is an argument of every process of the node.
 */
export function stateArgument(text: string): string {
  const path = pathArgument(text, '--state');
  const state = path.toString('utf8');
  if (Buffer.from(state).equals(path)) return state;
  throw new TwinfsError(
    'state-name',
    'usage',
    `--state ${showPath(path)} is not UTF-8; name another directory`,
  );
}

export const defaultStateDir = (directory: Buffer): string =>
  join(STATE_ROOT, stateName(directory));

/**
 * Of the mirror at DIR (or mounted there), running or not. Nothing is asked of the mount itself.
 */
export function findPlace(dir: string, state: string | undefined): Place {
  const named = pathArgument(dir, 'DIR');
  const daemons = findDaemons();
  if (state !== undefined) return placeOfState(named, stateArgument(state), daemons);
  const daemon =
    daemons.find((candidate) => candidate.directory.equals(named)) ??
    daemons.find((candidate) => candidate.mountpoint.equals(named)) ??
    null;
  const mount = mountAt(readMounts(), named);
  const mounted = mount === null ? null : directoryOfMount(mount);
  const directory = daemon?.directory ?? mounted ?? named;
  return {
    named,
    directory,
    shown: showPath(directory),
    stateDir: daemon?.stateDir ?? defaultStateDir(directory),
    daemon,
  };
}

function placeOfState(named: Buffer, stateDir: string, daemons: readonly DaemonFacts[]): Place {
  const daemon = daemons.find((candidate) => candidate.stateDir === stateDir) ?? null;
  if (daemon !== null && !daemon.directory.equals(named) && !daemon.mountpoint.equals(named)) {
    throw new TwinfsError(
      'state-of-another',
      'badState',
      `the state directory ${stateDir} is that of ${showPath(daemon.directory)}, ` +
        `not of ${showPath(named)}; leave --state out, or name the right one`,
    );
  }
  const directory = daemon?.directory ?? named;
  return { named, directory, shown: showPath(directory), stateDir, daemon };
}
