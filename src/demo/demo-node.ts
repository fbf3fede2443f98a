/** A node of the demo: its directory and state below the demo's own, driven by the command line. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../control/client.js';
import type { Status } from '../control/messages.js';
import { pause, systemClock } from '../io/system-clock.js';
import type { Display } from './display.js';
import { isRunning, processesOf } from './places.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const COMMAND_TIMEOUT_MS = 120_000;
const POLL_MS = 20;
const GONE_TIMEOUT_MS = 10_000;

export class DemoNode {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  readonly #state: string;
  readonly #log: string;
  readonly #display: Display;

  private constructor(base: string, name: string, port: number, display: Display) {
    this.name = name;
    this.directory = join(base, name, 'data');
    this.port = port;
    this.#state = join(base, name, 'state');
    this.#log = join(base, name, 'log');
    this.#display = display;
    mkdirSync(this.directory, { recursive: true });
  }

  static async make(base: string, name: string, display: Display): Promise<DemoNode> {
    return new DemoNode(base, name, await freePort(), display);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Runs `twinfs COMMAND DIR …`, showing it; throws with what it said unless it succeeds. */
  async run(command: string, args: readonly string[] = []): Promise<string> {
    this.#display.command([command, this.directory, ...args]);
    const logging = command === 'mount' || command === 'serve' ? ['--log', this.#log] : [];
    const words = [command, this.directory, ...args, '--state', this.#state, ...logging];
    const child = spawn(process.execPath, [MAIN, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (text: Buffer): void => void (output += text.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // 'exit', not 'close': a daemon must not be able to hold the pipe open.
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code === 0) return output.trim();
    throw new Error(`twinfs ${command} ended with ${String(code)}: ${output.trim()}`);
  }

  async status(): Promise<Status> {
    const place = { stateDir: this.#state, shown: this.directory };
    return (await ask(place, { command: 'status' })) as Status;
  }

  /** Polls until the status is as wanted; `watch` sees each one. */
  async waitFor(
    what: string,
    isWanted: (status: Status) => boolean,
    watch: (status: Status) => void,
    timeoutMs = COMMAND_TIMEOUT_MS,
  ): Promise<Status> {
    const deadline = systemClock.monotonicMs() + timeoutMs;
    for (;;) {
      const status = await this.status();
      watch(status);
      if (isWanted(status)) return status;
      if (systemClock.monotonicMs() > deadline)
        throw new Error(`${this.name} is not ${what} in time: ${status.reason ?? status.link}`);
      await pause(POLL_MS);
    }
  }

  /** kill -9 of all its processes at once. */
  async kill(): Promise<number[]> {
    const pids = processesOf(this.#state);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const deadline = systemClock.monotonicMs() + GONE_TIMEOUT_MS;
    while (pids.some(isRunning)) {
      if (systemClock.monotonicMs() > deadline) throw new Error(`${this.name} cannot be killed`);
      await pause(POLL_MS);
    }
    return pids;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
