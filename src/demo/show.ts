/**
 * The demo, step by step: two nodes on this machine, applications on the mirror, kill -9 of the
 * primary under load, failover, and the old node's way back. Every figure it shows is measured.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../control/messages.js';
import type { Mode } from '../core/types.js';
import { pause, systemClock } from '../io/system-clock.js';
import { DemoNode } from './demo-node.js';
import { bar, count, mib, type Display } from './display.js';
import { GitLoad, PostgresLoad, SqliteLoad, type Found, type Load } from './loads.js';
import { Postgres, findPostgres } from './postgres.js';
import { summarize } from './tree-summary.js';

const SEED_FILES = 400;
const SEED_BYTES = 32 * 1024;
const PGBENCH_SCALE = 2;
const POLL_MS = 100;

export interface ShowOptions {
  readonly mode: Mode;
  /** How long the applications run before each event. */
  readonly seconds: number;
  readonly withPostgres: boolean;
}

interface Cast {
  readonly base: string;
  readonly display: Display;
  readonly options: ShowOptions;
  readonly a: DemoNode;
  readonly b: DemoNode;
  readonly loads: Load[];
  readonly database: Database | null;
}

interface Database {
  readonly load: PostgresLoad;
  server: Postgres;
  readonly on: (directory: string, name: string) => Postgres;
}

/** What the verdict rests on. */
interface Outcome {
  readonly acknowledged: number;
  readonly missing: number;
  readonly healthy: boolean;
  readonly failoverMs: number;
  readonly equal: boolean;
}

/**
 * Shows it all in `base`; true when everything that was promised held. Cleaning is the caller's.
 */
export async function show(base: string, display: Display, options: ShowOptions): Promise<boolean> {
  const cast = await prepare(base, display, options);
  await mirror(cast);
  await work(cast);
  const equalBefore = await sideBySide(cast, 'both copies, side by side');
  await crash(cast);
  const failoverMs = await failover(cast);
  const found = await check(cast);
  const equalAfter = await comeBack(cast);
  await leave(cast);
  const sum = (pick: (one: Found) => number): number =>
    found.reduce((total, one) => total + pick(one), 0);
  return verdict(display, options.mode, {
    acknowledged: sum((one) => one.acknowledged),
    missing: sum((one) => one.acknowledged - one.present),
    healthy: found.every((one) => one.isHealthy),
    failoverMs,
    equal: equalBefore && equalAfter,
  });
}

async function prepare(base: string, display: Display, options: ShowOptions): Promise<Cast> {
  const a = await DemoNode.make(base, 'a', display);
  const b = await DemoNode.make(base, 'b', display);
  const access = options.withPostgres ? findPostgres() : 'switched off by --no-postgres';
  let database: Database | null = null;
  if (typeof access === 'string') {
    display.warn(`PostgreSQL is NOT part of this run: ${access}`);
  } else {
    const on = (directory: string, name: string): Postgres =>
      new Postgres(access, join(directory, 'postgres'), join(base, `s${name}`));
    const server = on(a.directory, 'a');
    database = { load: new PostgresLoad(server), server, on };
  }
  for (const absent of [GitLoad.missing(), SqliteLoad.missing()]) {
    if (absent !== null) display.warn(`NOT part of this run: ${absent}`);
  }
  return { base, display, options, a, b, loads: [], database };
}

/** A directory that is in use since long, a second server, and the first synchronisation. */
async function mirror({ display, options, a, b }: Cast): Promise<void> {
  display.step('Two nodes, and a directory with data in it');
  for (let file = 0; file < SEED_FILES; file += 1) {
    const folder = join(a.directory, 'documents', `folder-${file % 20}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `document-${file}`), Buffer.alloc(SEED_BYTES, file));
  }
  display.say(`node a: ${a.directory}, ${SEED_FILES} documents`);
  display.say(`node b: ${b.directory}, empty`);
  await b.run('serve', ['--listen', b.address]);
  const before = systemClock.monotonicMs();
  await a.run('mount', ['--peer', b.address, '--mode', options.mode]);
  const watch = watchSync(display);
  const status = await a.waitFor('synchronised', isEstablished, watch);
  const tookMs = systemClock.monotonicMs() - before;
  display.good(`mounted in place and synchronised in ${tookMs.toFixed(0)} ms`);
  showStatus(display, status, await b.status());
}

const isEstablished = (status: Status): boolean =>
  status.replication === 'Established' && status.peer.data === 'UpToDate';

const watchSync =
  (display: Display) =>
  ({ sync, link }: Status): void => {
    if (sync === null) {
      display.live(`${link} …`);
      return;
    }
    const fraction = sync.bytesTotal > 0 ? sync.bytesDone / sync.bytesTotal : 0;
    const left = sync.secondsLeft === null ? '' : `, ${sync.secondsLeft.toFixed(0)} s left`;
    display.live(
      `${bar(fraction)} ${count(sync.filesDone)} of ${count(sync.filesTotal)} files, ` +
        `sent ${mib(sync.bytesSent)}, ${mib(sync.rate)}/s${left}`,
    );
  };

function showStatus(display: Display, a: Status, b: Status): void {
  const row = (name: string, { role, data, link, replication }: Status): string[] => [
    name,
    role,
    data,
    link,
    replication,
  ];
  const head = ['node', 'role', 'data', 'link', 'replication'];
  display.table([head, row('a', a), row('b', b)]);
}

async function work(cast: Cast): Promise<void> {
  const { display, a, loads, database, options } = cast;
  display.step('Applications go to work on the mirror, unchanged');
  if (GitLoad.missing() === null) {
    const git = new GitLoad(a.directory);
    await git.init();
    loads.push(git);
    display.say('git: commits to a new repository');
  }
  if (SqliteLoad.missing() === null) {
    const sqlite = new SqliteLoad(a.directory);
    await sqlite.init();
    loads.push(sqlite);
    display.say('SQLite: WAL mode, one counter a commit');
  }
  if (database !== null) {
    await fillDatabase(cast, database);
    loads.push(database.load);
    display.say('PostgreSQL: pgbench with 4 clients, and one that counts its commits');
  }
  startAll(loads);
  await runFor(cast, options.seconds);
  await stopAll(loads);
  display.good(`acknowledged so far: ${counts(loads)}`);
}

/** The bulk of it in `async`: nobody counts on it yet, and the mode is changed while it runs. */
async function fillDatabase({ display, a, options }: Cast, database: Database): Promise<void> {
  const switches = options.mode !== 'async';
  if (switches) await a.run('mode', ['async']);
  display.live(`PostgreSQL: initdb, then pgbench fills ${PGBENCH_SCALE * 100_000} rows …`);
  await database.server.init();
  await database.server.start();
  await database.load.init(PGBENCH_SCALE);
  if (switches) await a.run('mode', [options.mode]);
}

const startAll = (loads: readonly Load[]): void => loads.forEach((load) => load.start());

async function stopAll(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.stop()));
}

const counts = (loads: readonly Load[]): string =>
  loads.map((load) => `${load.name} ${count(load.acknowledged)}`).join(', ');

async function runFor({ display, loads, database }: Cast, seconds: number): Promise<void> {
  const until = systemClock.monotonicMs() + seconds * 1000;
  while (systemClock.monotonicMs() < until) {
    const rate = database === null ? '' : `, pgbench ${count(database.load.rate)} tps`;
    display.live(`commits: ${counts(loads)}${rate}`);
    await pause(POLL_MS);
  }
}

/** Stops what writes, lets everything arrive, and reads both trees whole. */
async function sideBySide(cast: Cast, what: string): Promise<boolean> {
  const { display, a, b, database } = cast;
  display.step(`Proof: ${what}`);
  const primary = (await a.status()).role === 'Primary' ? a : b;
  if (database !== null) await database.server.stop();
  await primary.run('flush');
  await pause(POLL_MS);
  display.live('reading every file of both copies …');
  // Times of changes arrive within a second: look again before calling copies different.
  let [left, right] = [await summarize(a.directory), await summarize(b.directory)];
  for (let tries = 0; tries < 10 && left.digest !== right.digest; tries += 1) {
    await pause(POLL_MS * 2);
    [left, right] = [await summarize(a.directory), await summarize(b.directory)];
  }
  const row = (name: string, tree: typeof left): string[] => [
    name,
    count(tree.files),
    count(tree.directories),
    count(tree.links),
    mib(tree.bytes),
    tree.digest,
  ];
  const head = ['copy', 'files', 'directories', 'symlinks', 'contents', 'digest of everything'];
  display.table([head, row('a', left), row('b', right)]);
  const equal = left.digest === right.digest;
  if (equal) display.good('equal: names, types, modes, owners, sizes, mtimes, links, contents');
  else display.bad('the copies differ');
  return equal;
}

async function crash(cast: Cast): Promise<void> {
  const { display, a, loads, database, options } = cast;
  display.step('Disaster: kill -9 of every process of the primary, under load');
  if (database !== null) await database.server.start();
  startAll(loads);
  await runFor(cast, options.seconds);
  const pids = await a.kill();
  display.bad(`node a is dead (kill -9 ${pids.join(' ')}); its directory answers nobody`);
  await stopAll(loads);
  if (database !== null) await database.server.crash();
  display.say(`what applications were told is safe: ${counts(loads)}`);
}

async function failover({ display, a, b }: Cast): Promise<number> {
  display.step('Failover: the copy takes over');
  const before = systemClock.monotonicMs();
  const answer = await b.run('promote', ['--peer', a.address]);
  const tookMs = systemClock.monotonicMs() - before;
  for (const line of answer.split('\n')) display.say(line);
  display.good(`node b answers as Primary ${tookMs.toFixed(0)} ms after the command`);
  return tookMs;
}

async function check({ display, b, loads, database }: Cast): Promise<Found[]> {
  display.step('Is every acknowledged commit there?');
  if (database !== null) {
    database.server = database.on(b.directory, 'b');
    display.live('PostgreSQL recovers …');
    await database.server.start();
    database.load.use(database.server);
  }
  const found: Found[] = [];
  for (const load of loads) found.push(await load.check(b.directory));
  const rows = found.map((one, index) => [
    loads[index]?.name ?? '',
    count(one.acknowledged),
    count(one.present),
    count(one.acknowledged - one.present),
    one.health,
  ]);
  display.table([['application', 'acknowledged', 'there', 'missing', 'its own check'], ...rows]);
  return found;
}

/** The failed node returns as the target; meanwhile the applications go on working on b. */
async function comeBack(cast: Cast): Promise<boolean> {
  const { display, a, b, database, options } = cast;
  display.step('The failed node comes back, while applications go on');
  await a.run('umount');
  const git = GitLoad.missing() === null ? new GitLoad(b.directory, 'second-repository') : null;
  await git?.init();
  git?.start();
  if (database !== null) database.load.start();
  const before = systemClock.monotonicMs();
  await a.run('serve', ['--listen', a.address]);
  await b.waitFor('mirrored again', isEstablished, watchSync(display));
  const tookMs = systemClock.monotonicMs() - before;
  display.good(`resynchronised and mirroring again after ${(tookMs / 1000).toFixed(1)} s`);
  showStatus(display, await a.status(), await b.status());
  await runFor(cast, options.seconds / 2);
  await git?.stop();
  await database?.load.stop();
  if (git !== null) display.say(`git went on meanwhile: ${git.acknowledged} more commits on b`);
  return sideBySide(cast, 'equal again, now from b to a');
}

async function leave({ display, a, b }: Cast): Promise<void> {
  display.step('The end');
  await b.run('umount');
  await a.run('stop');
}

function verdict(display: Display, mode: Mode, outcome: Outcome): boolean {
  const { acknowledged, missing, healthy, failoverMs, equal } = outcome;
  // What `async` may lose is what its queue held: that is its promise, and shown as such.
  const kept = missing === 0 || mode === 'async';
  const good = kept && healthy && equal;
  const loss =
    missing === 0
      ? `${count(acknowledged)} acknowledged commits, 0 missing`
      : `${count(acknowledged)} acknowledged commits, ${count(missing)} missing` +
        (mode === 'async' ? ' (async answers before the peer has it)' : '');
  display.verdict(good, [
    good ? `Verdict: it held (mode ${mode})` : `Verdict: IT DID NOT HOLD (mode ${mode})`,
    `${loss}; failover in ${failoverMs.toFixed(0)} ms`,
    healthy ? 'every application found its data sound' : 'an application found its data damaged',
    equal ? 'both copies were equal, before and after' : 'the copies differed',
  ]);
  return good;
}
