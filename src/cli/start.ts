/** What `mount` and `serve` share: the checks, then the daemon, in the background or right here. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.js';
import { isReadOnlyBind } from '../config/mounts.js';
import { makeConfig, type StartArguments } from '../config/parse.js';
import { showPath } from '../config/paths.js';
import * as validate from '../config/validate.js';
import type { TwinfsError } from '../errors.js';
import { startDaemon } from '../io/daemon.js';
import { openLog } from '../io/logger.js';
import * as machine from '../io/machine.js';
import { findDaemons, findUsers } from '../io/processes.js';
import { defaultLogFile, type DaemonArguments } from './common.js';
import type { CliContext } from './context.js';
import { interruption } from './interrupt.js';
import { defaultStateDir, pathArgument, stateArgument } from './place.js';
import { runDaemon } from './run-daemon.js';

type Specific = Pick<
  StartArguments,
  'start' | 'peer' | 'listen' | 'mode' | 'requirePeer' | 'overwritePeer' | 'discardMine'
>;

/** argv as yargs split it → Config, with the paths made canonical. */
export function configOf(
  args: DaemonArguments,
  dir: string,
  mountpoint: string | undefined,
  specific: Specific,
): Config {
  const directory = pathArgument(dir, 'DIR');
  const stateDir = args.state === undefined ? null : stateArgument(args.state);
  const logFile = args.log === undefined ? null : pathArgument(args.log, '--log').toString();
  const state = stateDir ?? defaultStateDir(directory);
  return makeConfig({
    ...specific,
    directory,
    mountpoint: mountpoint === undefined ? directory : pathArgument(mountpoint, 'MOUNTPOINT'),
    stateDir: state,
    engine: args.engine,
    insecure: args.insecure,
    force: args.force,
    options: args.o,
    logFile: logFile ?? (args.foreground ? null : defaultLogFile(state)),
    logLevel: args['log-level'],
  });
}

/** Throws the first refusal; clears what a killed daemon left mounted. */
export async function checkStart(context: CliContext, config: Config): Promise<void> {
  refuse(validate.checkMachine(config, machine.machineFacts()));
  refuse(validate.checkRunning(config, findDaemons()));
  await clearLeftovers(context, config);
  const mounts = machine.readMounts();
  refuse(
    validate.checkDirectories(config, {
      directory: await machine.pathKind(config.directory),
      mountpoint: await machine.pathKind(config.mountpoint),
      mounts,
      programPaths: programPaths(context),
    }),
  );
  const users = findUsers(config.directory);
  // A daemon that started meanwhile has DIR open, too: say that it is one.
  if (users.length > 0) refuse(validate.checkRunning(config, findDaemons()));
  refuse(validate.checkUsers(config, users, mounts));
}

function refuse(refusal: TwinfsError | null): void {
  if (refusal !== null) throw refusal;
}

function programPaths(context: CliContext): Buffer[] {
  const sources = dirname(dirname(fileURLToPath(import.meta.url)));
  const paths = [process.execPath, context.entry.script, sources];
  const mounts = machine.readMounts();
  return paths.map((path) => machine.canonical(Buffer.from(path), mounts));
}

/**
 * A dead mount serves nobody, and a start that refuses it would fail after every crash. A read-only
 * bind counts only where this state directory has a mirror: an administrator may have made one.
 */
async function clearLeftovers(context: CliContext, config: Config): Promise<void> {
  const places = [config.directory, config.mountpoint];
  const unique = config.directory.equals(config.mountpoint) ? [config.directory] : places;
  for (const path of unique) {
    for (const entry of await machine.deadMounts(path)) {
      const isBind = isReadOnlyBind(machine.readMounts(), entry);
      if (isBind && !machine.hasRecord(config.stateDir)) continue;
      await machine.detach(entry.mountpoint);
      context.warn(`twinfs: cleared the dead mount at ${showPath(entry.mountpoint)}`);
    }
  }
}

/** Runs or starts the daemon; resolves to the exit status of the command. */
export async function launch(
  context: CliContext,
  config: Config,
  foreground: boolean,
): Promise<number> {
  if (foreground) {
    const terminal = process.stderr;
    return runDaemon({
      config,
      output: openLog({ level: config.logLevel, file: config.logFile, terminal }),
      loadNode: context.loadNode,
      // Whoever stays in the foreground reads the log.
      parent: { ready: () => Promise.resolve(), failed: () => Promise.resolve() },
      hangupEnds: config.logFile === null,
    });
  }
  machine.makeStateDir(config.stateDir);
  const logFile = config.logFile ?? defaultLogFile(config.stateDir);
  await startDaemon(context.entry, config, logFile, interruption());
  return 0;
}
