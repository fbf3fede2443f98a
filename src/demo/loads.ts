/**
 * The applications of the demo. Each commits again and again and remembers what was *acknowledged*:
 * a commit counts when the application itself was told that it is done, not before.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pause, systemClock } from '../io/system-clock.js';
import type { Postgres } from './postgres.js';

const END_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** What a check of a copy found. */
export interface Found {
  readonly acknowledged: number;
  readonly present: number;
  /** A sentence about the application's own check. */
  readonly health: string;
  readonly isHealthy: boolean;
}

export interface Load {
  readonly name: string;
  /** Acknowledged commits so far. */
  readonly acknowledged: number;
  start(): void;
  /** Lets the commit under way end (or fail). */
  stop(): Promise<void>;
  /** Looks at the copy in `directory`, where the application can run. */
  check(directory: string): Promise<Found>;
}

async function ended(child: ChildProcess): Promise<void> {
  const deadline = systemClock.monotonicMs() + END_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null) {
    if (systemClock.monotonicMs() > deadline) child.kill('SIGKILL');
    await pause(POLL_MS);
  }
}

interface Output {
  readonly ok: boolean;
  readonly text: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Output> {
  const child = spawn(command, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, text: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, text: text.trim() }));
  });
}

const GIT_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.org',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.org',
};

/** Commits to a repository that the demo made; a commit counts when git has named its hash. */
export class GitLoad implements Load {
  readonly name = 'git';
  readonly #repository: string;
  readonly #folder: string;
  readonly #hashes: string[] = [];
  #going = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(directory: string, folder = 'repository') {
    this.#folder = folder;
    this.#repository = join(directory, folder);
  }

  static missing(): string | null {
    return spawnSync('git', ['--version']).status === 0 ? null : 'git is not installed';
  }

  get acknowledged(): number {
    return this.#hashes.length;
  }

  async init(): Promise<void> {
    const { ok, text } = await run('git', ['init', '-q', this.#repository], GIT_ENVIRONMENT);
    if (!ok) throw new Error(`git init: ${text}`);
  }

  start(): void {
    this.#going = true;
    this.#ended = this.#loop();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#ended;
  }

  async #loop(): Promise<void> {
    const script =
      'cd "$1" && echo "line $2" >> "file-$(($2 % 20))" && git add -A && ' +
      'git commit -q -m "commit $2" && git rev-parse HEAD';
    while (this.#going) {
      const number = String(this.#hashes.length + 1);
      const args = ['-c', script, 'sh', this.#repository, number];
      const { ok, text } = await run('sh', args, GIT_ENVIRONMENT);
      if (!ok) break;
      this.#hashes.push(text.split('\n').at(-1) ?? '');
    }
  }

  async check(directory: string): Promise<Found> {
    const repository = join(directory, this.#folder);
    const fsck = await run('git', ['-C', repository, 'fsck', '--full'], GIT_ENVIRONMENT);
    const list = await run('git', ['-C', repository, 'rev-list', '--all'], GIT_ENVIRONMENT);
    const there = new Set(list.text.split('\n'));
    return {
      acknowledged: this.#hashes.length,
      present: this.#hashes.filter((hash) => there.has(hash)).length,
      health: fsck.ok ? 'git fsck: clean' : `git fsck: ${fsck.text.slice(0, 200)}`,
      isHealthy: fsck.ok,
    };
  }
}

/** Feeds one statement at a time to a client program; each is counted when its answer is there. */
class Conversation {
  acknowledged = 0;
  readonly #child: ChildProcess;
  #going = true;

  constructor(child: ChildProcess, from: number, statement: (number: number) => string) {
    this.#child = child;
    this.acknowledged = from;
    const next = (): void => {
      if (this.#going) child.stdin?.write(`${statement(this.acknowledged + 1)}\n`);
      else child.stdin?.end();
    };
    child.stdin?.on('error', () => undefined);
    child.stderr?.resume();
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line !== `done ${this.acknowledged + 1}`) return;
        this.acknowledged += 1;
        next();
      });
    }
    next();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await ended(this.#child);
  }
}

/** SQLite in WAL mode with synchronous=FULL: one counter a commit. */
export class SqliteLoad implements Load {
  readonly name = 'SQLite';
  readonly #folder = 'sqlite';
  readonly #database: string;
  #talk: Conversation | null = null;

  constructor(directory: string) {
    this.#database = join(directory, this.#folder, 'counters.db');
    mkdirSync(join(directory, this.#folder));
  }

  static missing(): string | null {
    return spawnSync('sqlite3', ['-version']).status === 0 ? null : 'sqlite3 is not installed';
  }

  get acknowledged(): number {
    return this.#talk?.acknowledged ?? 0;
  }

  async init(): Promise<void> {
    const sql = 'PRAGMA journal_mode=WAL; CREATE TABLE counter(n INTEGER PRIMARY KEY, note TEXT);';
    const { ok, text } = await run('sqlite3', [this.#database, sql], process.env);
    if (!ok) throw new Error(`sqlite3: ${text}`);
  }

  start(): void {
    // Its output goes through a pipe: without stdbuf(1) an answer would wait for a full buffer.
    const args = ['-oL', 'sqlite3', '-bail', '-cmd', 'PRAGMA synchronous=FULL;', this.#database];
    const child = spawn('stdbuf', args, { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
    this.#talk = new Conversation(
      child,
      this.acknowledged,
      (number) =>
        `INSERT INTO counter VALUES(${number}, hex(randomblob(100))); SELECT 'done ${number}';`,
    );
  }

  async stop(): Promise<void> {
    await this.#talk?.stop();
  }

  async check(directory: string): Promise<Found> {
    const database = join(directory, this.#folder, 'counters.db');
    const count = `SELECT count(*) FROM counter WHERE n <= ${this.acknowledged};`;
    const args = [database, `PRAGMA integrity_check; ${count}`];
    const { text } = await run('sqlite3', args, process.env);
    const [health = '', present = '0'] = text.split('\n');
    return {
      acknowledged: this.acknowledged,
      present: Number(present),
      health: `integrity_check: ${health}`,
      isHealthy: health === 'ok',
    };
  }
}

/** PostgreSQL under pgbench, and beside it a client that counts its own commits. */
export class PostgresLoad implements Load {
  readonly name = 'PostgreSQL';
  #server: Postgres;
  #talk: Conversation | null = null;
  #bench: ChildProcess | null = null;
  /** pgbench's rate of the last second. */
  rate = 0;

  constructor(server: Postgres) {
    this.#server = server;
  }

  get acknowledged(): number {
    return this.#talk?.acknowledged ?? 0;
  }

  async init(scale: number): Promise<void> {
    await this.#server.run('pgbench', ['-i', '-q', '-s', String(scale)]);
    await this.#server.query('CREATE TABLE counter(n bigint PRIMARY KEY, note text)');
  }

  /** The server of the copy, from here on. */
  use(server: Postgres): void {
    this.#server = server;
  }

  start(): void {
    const client = this.#server.client('psql', ['-X', '-At', '-q', '-v', 'ON_ERROR_STOP=1']);
    this.#talk = new Conversation(
      client,
      this.acknowledged,
      (number) => `INSERT INTO counter VALUES(${number}, md5('${number}')) RETURNING 'done ' || n;`,
    );
    const bench = this.#server.client('pgbench', ['-n', '-c', '4', '-T', '3600', '-P', '1']);
    bench.stderr?.on('data', (text: Buffer) => {
      const rate = /, ([\d.]+) tps/.exec(text.toString())?.[1];
      if (rate !== undefined) this.rate = Number(rate);
    });
    bench.stdout?.resume();
    this.#bench = bench;
  }

  async stop(): Promise<void> {
    this.#bench?.kill('SIGINT');
    await this.#talk?.stop();
    if (this.#bench !== null) await ended(this.#bench);
  }

  /** Needs the server of the copy to run (`use`). */
  async check(): Promise<Found> {
    const count = `SELECT count(*) FROM counter WHERE n <= ${this.acknowledged}`;
    const present = Number(await this.#server.query(count));
    // The sums that every pgbench transaction keeps equal: half a transaction would break them.
    const sums = await this.#server.query(
      'SELECT (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(abalance) FROM ' +
        'pgbench_accounts) AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT ' +
        'coalesce(sum(delta), 0) FROM pgbench_history)',
    );
    const isHealthy = sums === 't';
    const health = `pgbench balances ${isHealthy ? 'add up' : 'DO NOT add up'}`;
    return { acknowledged: this.acknowledged, present, health, isHealthy };
  }
}
