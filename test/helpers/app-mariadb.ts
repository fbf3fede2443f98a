/**
 * What is done with MariaDB: a data directory on the mirror, everything else outside; sysbench for
 * a while, a check of every table, and a restart. The server runs as the user `mysql`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { run } from './application.js';
import { findCommand } from './requires.js';
import type { Cleanup } from './temp-dir.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

export const MARIADB_COMMANDS = [
  'mariadbd',
  'mariadb-install-db',
  'mariadb',
  'mariadb-check',
  'mariadb-admin',
  'sysbench',
];
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 120_000;

export interface MariadbOptions {
  readonly tables: number;
  readonly rows: number;
  readonly threads: number;
  readonly seconds: number;
}

class Mariadb {
  readonly #context: Cleanup;
  readonly #data: string;
  /** Socket, log and temporary files. */
  readonly #outside: string;
  readonly #uid: number;
  readonly #gid: number;
  #server: ChildProcess | null = null;

  constructor(context: Cleanup, data: string, ids: { uid: number; gid: number }) {
    this.#context = context;
    this.#data = data;
    this.#outside = tempDir(context, 'my');
    this.#uid = ids.uid;
    this.#gid = ids.gid;
    fs.chownSync(this.#outside, ids.uid, ids.gid);
  }

  get socket(): string {
    return join(this.#outside, 's');
  }

  async init(): Promise<void> {
    fs.mkdirSync(this.#data, { mode: 0o700 });
    fs.chownSync(this.#data, this.#uid, this.#gid);
    const how = ['--auth-root-authentication-method=normal', '--skip-test-db', '--user=mysql'];
    await this.#run('mariadb-install-db', [`--datadir=${this.#data}`, ...how]);
  }

  async start(): Promise<void> {
    const where = [`--datadir=${this.#data}`, `--socket=${this.socket}`, '--skip-networking'];
    const log = join(this.#outside, 'log');
    const rest = [`--log-error=${log}`, `--tmpdir=${this.#outside}`];
    const pidFile = `--pid-file=${join(this.#outside, 'pid')}`;
    const server = spawn(
      findCommand('mariadbd') ?? 'mariadbd',
      ['--no-defaults', ...where, ...rest, pidFile],
      { uid: this.#uid, gid: this.#gid, cwd: '/', stdio: 'ignore' },
    );
    this.#server = server;
    this.#context.after(() => void server.kill('SIGKILL'));
    const answers = async (): Promise<boolean> => {
      await this.client('mariadb-admin', ['ping']);
      return true;
    };
    try {
      await waitFor('MariaDB to answer', answers, { timeoutMs: START_TIMEOUT_MS, everyMs: 200 });
    } catch (error) {
      const text = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').slice(-4000) : '(no log)';
      throw new Error(`MariaDB does not start:\n${text}`, { cause: error });
    }
  }

  /** A clean shutdown, awaited. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    server.kill('SIGTERM');
    const isGone = (): boolean => server.exitCode !== null || server.signalCode !== null;
    await waitFor('the end of MariaDB', isGone, { timeoutMs: STOP_TIMEOUT_MS });
    assert.equal(server.exitCode, 0, `ended by ${String(server.signalCode)}`);
    this.#server = null;
  }

  /** One of its client programs, as the database's root. */
  client(program: string, args: readonly string[]): Promise<string> {
    return this.#run(program, [`--socket=${this.socket}`, '--user=root', ...args]);
  }

  query(sql: string): Promise<string> {
    return this.client('mariadb', ['--batch', '--skip-column-names', '-e', sql]);
  }

  #run(program: string, args: readonly string[]): Promise<string> {
    return run(findCommand(program) ?? program, ['--no-defaults', ...args], { cwd: '/' });
  }
}

/** mariadb-check prints a line a table, "name OK"; whatever else it says is a complaint. */
async function checkTables(server: Mariadb): Promise<number> {
  const output = await server.client('mariadb-check', ['--all-databases', '--extended']);
  const lines = output.trim().split('\n');
  assert.deepEqual(
    lines.filter((line) => !/\sOK$/.test(line)),
    [],
  );
  return lines.length;
}

async function userIds(): Promise<{ uid: number; gid: number }> {
  return {
    uid: Number(await run('id', ['-u', 'mysql'])),
    gid: Number(await run('id', ['-g', 'mysql'])),
  };
}

/** Leaves the server stopped; throws when anything is wrong with a table. */
export async function mariadbWork(
  context: Cleanup,
  mount: string,
  options: MariadbOptions,
): Promise<{ tps: number; tables: number }> {
  const server = new Mariadb(context, join(mount, 'mysql'), await userIds());
  await server.init();
  await server.start();
  await server.query('CREATE DATABASE sbtest');
  const sysbench = (step: string): Promise<string> => {
    const login = [`--mysql-socket=${server.socket}`, '--mysql-user=root', '--mysql-db=sbtest'];
    const size = [`--tables=${options.tables}`, `--table-size=${options.rows}`];
    const load = [`--threads=${options.threads}`, `--time=${options.seconds}`];
    return run('sysbench', ['oltp_read_write', ...login, ...size, ...load, step], {
      timeoutMs: (options.seconds + 300) * 1000,
    });
  };
  await sysbench('prepare');
  const tps = Number(/transactions: .*\(([\d.]+) per sec/.exec(await sysbench('run'))?.[1]);
  assert.ok(tps > 0, 'sysbench says no rate');
  const tables = await checkTables(server);
  const sums = `CHECKSUM TABLE ${names(options.tables)} EXTENDED`;
  const before = await server.query(sums);
  await server.stop();
  await server.start();
  assert.equal(await server.query(sums), before);
  await checkTables(server);
  await server.stop();
  return { tps, tables };
}

const names = (tables: number): string =>
  Array.from({ length: tables }, (_, index) => `sbtest.sbtest${index + 1}`).join(', ');
