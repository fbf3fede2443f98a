/**
 * The background process: how the command line starts it, and how it tells that it is ready. It is
 * a child in a session of its own, with the root as working directory, stdin from /dev/null, stdout
 * and stderr in the log file, and one channel to its parent until the start is over. Its arguments
 * carry `--state DIR`, by which people and tests find all processes of a node; the Config comes
 * through the channel.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/config.js';
import { showPath } from '../config/paths.js';
import { TwinfsError, errorText, type ExitName } from '../errors.js';
import { makeDirs } from './make-dirs.js';

/** Subcommand of the entry script that runs the daemon. */
export const DAEMON_COMMAND = 'daemon';

type ParentMessage = { readonly kind: 'start'; readonly config: Config };
type ChildMessage =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly exit: ExitName;
      readonly message: string;
    };

/** What to run: the script that understands the daemon subcommand. */
export interface DaemonEntry {
  readonly script: string;
}

/**
 * Starts the daemon and resolves to its pid once it is ready. Rejects with the daemon's own
 * TwinfsError, or `daemon-died` when it ended without one. `interrupted` ends a start under way
 * (SIGINT on the terminal).
 */
export async function startDaemon(
  entry: DaemonEntry,
  config: Config,
  logFile: string,
  interrupted: Promise<void>,
): Promise<number> {
  const child = spawnDetached(entry, config, logFile);
  try {
    return await readiness(child, config, logFile, interrupted);
  } finally {
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function spawnDetached(entry: DaemonEntry, config: Config, logFile: string): ChildProcess {
  const log = openOutput(logFile);
  try {
    // The words after --state are for people who read `ps`.
    const words = [config.start, showPath(config.directory)];
    const args = [entry.script, DAEMON_COMMAND, '--state', config.stateDir, ...words];
    return spawn(process.execPath, [...process.execArgv, ...args], {
      cwd: '/',
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    fs.closeSync(log);
  }
}

function openOutput(path: string): number {
  try {
    makeDirs(dirname(path), 0o755);
    return fs.openSync(path, 'a', 0o640);
  } catch (cause) {
    throw new TwinfsError(
      'log-file',
      'usage',
      `cannot open the log file ${path}: ${errorText(cause)}; name another with --log`,
      cause,
    );
  }
}

function readiness(
  child: ChildProcess,
  config: Config,
  logFile: string,
  interrupted: Promise<void>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const died = (how: string): void =>
      reject(
        new TwinfsError(
          'daemon-died',
          'failed',
          `the daemon ${how} while it started; see ${logFile}`,
        ),
      );
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'waiting') child.send({ kind: 'start', config } satisfies ParentMessage);
      else if (message.kind === 'ready') resolve(child.pid ?? 0);
      else reject(new TwinfsError(message.code, message.exit, message.message));
    });
    child.on('error', (error) => died(`could not be run (${error.message})`));
    child.on('exit', (code, signal) => died(`ended with ${signal ?? `status ${code}`}`));
    void interrupted.then(() => {
      child.kill('SIGTERM');
      reject(
        new TwinfsError(
          'interrupted',
          'failed',
          'interrupted; the daemon that was starting has been told to end',
        ),
      );
    });
  });
}

/** The daemon's end of the channel. */
export interface Parent {
  readonly config: Config;
  /** The start is over, well or badly. Resolves when the parent has been told (or is gone). */
  ready(): Promise<void>;
  failed(error: unknown): Promise<void>;
}

/**
 * Called first thing in the daemon process. Throws a usage error when it was not started by
 * startDaemon.
 */
export function meetParent(): Promise<Parent> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) {
      reject(
        new TwinfsError(
          'no-parent',
          'usage',
          '"twinfs daemon" is what "twinfs mount" and "twinfs serve" run in the background; use these',
        ),
      );
      return;
    }
    process.once('message', (message: ParentMessage) => {
      const config = Object.freeze({
        ...message.config,
        directory: Buffer.from(message.config.directory),
        mountpoint: Buffer.from(message.config.mountpoint),
        options: Object.freeze(message.config.options),
      });
      resolve({
        config,
        ready: () => tell({ kind: 'ready' }),
        failed: (error) => tell(told(error)),
      });
    });
    void tell({ kind: 'waiting' }, false);
  });
}

function told(error: unknown): ChildMessage {
  const known = error instanceof TwinfsError;
  return {
    kind: 'failed',
    code: known ? error.code : 'unexpected',
    exit: known ? error.exit : 'failed',
    message: errorText(error),
  };
}

function tell(message: ChildMessage, last = true): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      if (last && process.connected) process.disconnect();
      resolve();
    };
    if (process.send === undefined || !process.connected) return done();
    // A parent that was interrupted is no error of ours.
    return void process.send(message, undefined, undefined, done);
  });
}
