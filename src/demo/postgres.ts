/**
 * A PostgreSQL server of one's own, for a while: initdb, start, pgbench, stop. Runs as the user
 * `postgres` (it refuses root), listens on a socket only, and leaves no shared memory behind. The
 * demo, the tests and the benchmarks use it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pause, systemClock } from '../io/system-clock.js';

const INSTALLED = '/usr/lib/postgresql';
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 90_000;
const QUIT_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const OUTPUT_CHARACTERS_MAX = 20_000;

export interface PostgresAccess {
  /** Folder of the programs. */
  readonly bin: string;
  readonly uid: number;
  readonly gid: number;
}

/** What is installed, or a sentence that says what is missing. */
export function findPostgres(): PostgresAccess | string {
  if (process.getuid?.() !== 0) return 'PostgreSQL needs root here, to become its user';
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED) : [];
  const bin = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(INSTALLED, version, 'bin'))
    .find((folder) => ['initdb', 'postgres', 'pgbench'].every((n) => existsSync(join(folder, n))));
  if (bin === undefined) return 'PostgreSQL is not installed (Debian: apt install postgresql)';
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || NaN);
  const [uid, gid] = [id('-u'), id('-g')];
  if (Number.isNaN(uid) || Number.isNaN(gid)) return 'there is no user "postgres"';
  return { bin, uid, gid };
}

export class Postgres {
  readonly #access: PostgresAccess;
  readonly #data: string;
  readonly #sockets: string;
  #server: ChildProcess | null = null;
  #output = '';

  /** `data`: the cluster's directory; `sockets`: a short path outside of the mirror. */
  constructor(access: PostgresAccess, data: string, sockets: string) {
    this.#access = access;
    this.#data = data;
    this.#sockets = sockets;
  }

  get pid(): number | null {
    return this.#server?.pid ?? null;
  }

  /** Makes the cluster's directory and the cluster. */
  async init(): Promise<void> {
    mkdirSync(this.#data, { recursive: true });
    chownSync(this.#data, this.#access.uid, this.#access.gid);
    chmodSync(this.#data, 0o700);
    const how = ['-A', 'trust', '-U', 'postgres', '--locale=C', '-E', 'UTF8'];
    await this.run('initdb', ['-D', this.#data, ...how]);
  }

  /** Starts the server and waits until it answers; recovery after a crash included. */
  async start(settings: readonly string[] = []): Promise<void> {
    mkdirSync(this.#sockets, { recursive: true });
    chownSync(this.#sockets, this.#access.uid, this.#access.gid);
    const options = ['listen_addresses=', 'dynamic_shared_memory_type=sysv', ...settings];
    const words = options.flatMap((option) => ['-c', option]);
    const { bin, uid, gid } = this.#access;
    const server = spawn(join(bin, 'postgres'), ['-D', this.#data, '-k', this.#sockets, ...words], {
      uid,
      gid,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(),
    });
    this.#server = server;
    this.#output = '';
    const keep = (text: Buffer): void => {
      this.#output = (this.#output + text.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    };
    server.stdout.on('data', keep);
    server.stderr.on('data', keep);
    const deadline = systemClock.monotonicMs() + START_TIMEOUT_MS;
    while (!this.#answers()) {
      const ended = !isRunning(server);
      if (ended || systemClock.monotonicMs() > deadline)
        throw new Error(`PostgreSQL does not start:\n${this.#output}`);
      await pause(POLL_MS);
    }
  }

  /** Runs one of its programs as its user; gives its output, throws with that when it fails. */
  run(program: string, args: readonly string[]): Promise<string> {
    const child = this.client(program, args);
    let [output, errors] = ['', ''];
    child.stdin?.end();
    child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (errors += text.toString()));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(output);
        else reject(new Error(`${program} failed (${String(code)}): ${errors}${output}`));
      });
    });
  }

  /** Starts one of its programs as its user, with pipes. */
  client(program: string, args: readonly string[]): ChildProcess {
    const { bin, uid, gid } = this.#access;
    const options = { uid, gid, cwd: '/', env: this.#environment() };
    return spawn(join(bin, program), args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** One statement, its result unaligned. */
  async query(sql: string): Promise<string> {
    return (await this.run('psql', ['-X', '-At', '-v', 'ON_ERROR_STOP=1', '-c', sql])).trim();
  }

  /** Transactions per second of the standard script. */
  async pgbench(clients: number, seconds: number): Promise<number> {
    const count = String(clients);
    const how = ['-c', count, '-j', '2', '-T', String(seconds)];
    const output = await this.run('pgbench', how);
    const tps = Number(/^tps = ([\d.]+)/m.exec(output)?.[1] ?? NaN);
    if (Number.isNaN(tps)) throw new Error(`pgbench says no rate:\n${output}`);
    return tps;
  }

  /** A fast shutdown with a checkpoint. */
  async stop(): Promise<void> {
    if (!(await this.#end('SIGINT', STOP_TIMEOUT_MS))) {
      await this.crash();
      throw new Error(`PostgreSQL did not stop:\n${this.#output}`);
    }
  }

  /** Ends it at once, as a crash: no checkpoint, nothing written any more. */
  async crash(): Promise<void> {
    const pid = this.pid;
    if (await this.#end('SIGQUIT', QUIT_TIMEOUT_MS)) return;
    await this.#end('SIGKILL', QUIT_TIMEOUT_MS);
    if (pid !== null) removeSharedMemory(pid);
  }

  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
    const server = this.#server;
    if (server === null) return true;
    server.kill(signal);
    const deadline = systemClock.monotonicMs() + timeoutMs;
    while (isRunning(server)) {
      if (systemClock.monotonicMs() > deadline) return false;
      await pause(POLL_MS);
    }
    this.#server = null;
    return true;
  }

  #answers(): boolean {
    const { bin } = this.#access;
    const check = spawnSync(join(bin, 'pg_isready'), ['-q', '-h', this.#sockets], { cwd: '/' });
    return check.status === 0;
  }

  #environment(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    const connection = { PGHOST: this.#sockets, PGUSER: 'postgres', PGDATABASE: 'postgres' };
    return { ...(PATH === undefined ? {} : { PATH }), ...connection, LC_ALL: 'C', TZ: 'UTC' };
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null;

/** A server that had to be killed leaves its System V segments: those its pid made go. */
function removeSharedMemory(pid: number): void {
  const { stdout } = spawnSync('ipcs', ['-m', '-p'], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [id, , creator] = line.trim().split(/\s+/);
    if (id !== undefined && Number(creator) === pid) spawnSync('ipcrm', ['-m', id]);
  }
}
