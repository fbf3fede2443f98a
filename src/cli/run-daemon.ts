/**
 * The life of a daemon around its node: locks, control socket, start, signals, end. The same in the
 * background and with --foreground; who waits for the start is told through `parent`.
 */
import type { Config } from '../config/config.js';
import { showPath } from '../config/paths.js';
import { startControlServer, type ControlServer } from '../control/server.js';
import { EXIT, TwinfsError, errorText, type ExitName } from '../errors.js';
import { takeLocks } from '../io/lock.js';
import type { Logger, LogOutput } from '../io/logger.js';
import { makeStateDir } from '../io/machine.js';
import { systemTimers } from '../io/system-clock.js';
import { DAEMON_END_TIMEOUT_MS, DAEMON_START_ABORT_MS } from '../limits.js';
import type { RunningNode, StartNode } from '../node/types.js';
import { VERSION } from '../version.js';

export interface DaemonSetup {
  readonly config: Config;
  readonly output: LogOutput;
  readonly loadNode: () => Promise<StartNode>;
  readonly parent: { ready(): Promise<void>; failed(error: unknown): Promise<void> };
  /** SIGHUP ends the daemon (a terminal went away) instead of reopening the log. */
  readonly hangupEnds: boolean;
}

/** Resolves to the exit status. Installs process-wide handlers: call once, then end the process. */
export async function runDaemon(setup: DaemonSetup): Promise<number> {
  const { config, output } = setup;
  const log = output.log;
  process.umask(0o022);
  dieOfSurprises(output);
  const signals = catchSignals(setup);
  let control: ControlServer | null = null;
  try {
    makeStateDir(config.stateDir);
    takeLocks(config.stateDir, { pid: process.pid, ...config });
    control = await startControlServer(config.stateDir, log);
    const start = await setup.loadNode();
    log.info({ version: VERSION, directory: showPath(config.directory) }, `${config.start} starts`);
    const node = await start(config, log);
    control.ready((request) => node.handle(request));
    signals.attach(node);
    await setup.parent.ready();
    return EXIT[await untilEnd(node, control, log)];
  } catch (error) {
    log.error({ err: error }, `start failed: ${errorText(error)}`);
    if (control !== null) await closeControl(control);
    await setup.parent.failed(error);
    return EXIT[error instanceof TwinfsError ? error.exit : 'failed'];
  } finally {
    output.flush();
  }
}

async function untilEnd(node: RunningNode, control: ControlServer, log: Logger): Promise<ExitName> {
  const end = await node.ended;
  await closeControl(control);
  if (end.exit === 'ok') log.info(`ended: ${end.message}`);
  else log.error({ exit: end.exit }, `ended: ${end.message}`);
  return end.exit;
}

/** A client that does not take its reply must not hold up the end. */
function closeControl(control: ControlServer): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemTimers.setTimer(DAEMON_END_TIMEOUT_MS, resolve);
    void control.close().then(() => {
      cancel();
      resolve();
    });
  });
}

/**
 * After an error nobody foresaw nothing may go on: a dead mount harms no data, a wrong daemon can.
 */
function dieOfSurprises(output: LogOutput): void {
  const die = (error: unknown): void => {
    output.log.fatal({ err: error }, `a bug ended the daemon: ${errorText(error)}`);
    output.flush();
    process.exit(EXIT.bug);
  };
  process.on('uncaughtException', die).on('unhandledRejection', die);
}

function catchSignals(setup: DaemonSetup): { attach(node: RunningNode): void } {
  const log = setup.output.log;
  let running: RunningNode | null = null;
  let early: string | null = null;
  const end = (signal: string): void => {
    log.info({ signal }, 'told to end');
    if (running !== null) {
      running.shutdown(signal).catch((error: unknown) => {
        log.error({ err: error }, `cannot end: ${errorText(error)}`);
      });
      return;
    }
    if (early !== null) return;
    early = signal;
    // A start that hangs (a peer, a disk) must not make the process immortal.
    systemTimers.setTimer(DAEMON_START_ABORT_MS, () => {
      if (running !== null) return;
      log.error({ signal }, 'ended before the start was over');
      setup.output.flush();
      process.exit(EXIT.failed);
    });
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  process.on('SIGHUP', () => (setup.hangupEnds ? end('SIGHUP') : setup.output.reopen()));
  return {
    attach: (node) => {
      running = node;
      if (early !== null) end(early);
    },
  };
}
