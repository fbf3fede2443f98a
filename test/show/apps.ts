/**
 * `npm run show:apps [-- NAME …]`: real applications on a mirror, at length; a line for each with
 * its figure. After each, both trees are equal in names, types, modes, owners, sizes, mtimes,
 * xattrs, links and contents. npm fetches packages from its registry for `npm` and `build`.
 */
import { join } from 'node:path';
import type { Mode } from '../../src/core/types.js';
import { git } from '../helpers/app-git.js';
import { MARIADB_COMMANDS, mariadbWork } from '../helpers/app-mariadb.js';
import { nativeBuild, npmCi } from '../helpers/app-npm.js';
import { postgresWork } from '../helpers/app-postgres.js';
import { sqliteWork } from '../helpers/app-sqlite.js';
import { onMirror, shell } from '../helpers/application.js';
import { repoRoot } from '../helpers/paths.js';
import type { Requirements } from '../helpers/requires.js';
import { missing, postgresBin } from '../helpers/requires.js';
import type { Cleanup } from '../helpers/temp-dir.js';
import { withCleanup, withRoot } from './cleanup.js';

interface Application {
  readonly name: string;
  readonly mode: Mode;
  readonly needs: Requirements;
  /** Gives what it did and its figure. */
  readonly work: (context: Cleanup, mount: string) => Promise<string>;
}

const GIT_ROUNDS = 4;
const SQLITE_WRITERS = 2;
const SQLITE_TRANSACTIONS = 50_000;
const SQLITE_TIMEOUT_MS = 1_800_000;

async function gitWork(mount: string): Promise<string> {
  let commits = '';
  for (let round = 1; round <= GIT_ROUNDS; round += 1) {
    const clone = join(mount, `clone${round}`);
    await git(mount, ['clone', '-q', '--no-local', repoRoot, clone]);
    commits = (await git(clone, ['rev-list', '--count', 'HEAD'])).trim();
    await git(clone, ['checkout', '-q', '-b', 'back', `HEAD~${Math.min(20, Number(commits) - 1)}`]);
    await git(clone, ['checkout', '-q', '-']);
    await git(clone, ['gc', '-q', '--prune=now', ...(round % 2 === 0 ? ['--aggressive'] : [])]);
    await git(clone, ['fsck', '--full', '--strict']);
  }
  return `${GIT_ROUNDS} × clone, checkout, gc, fsck of ${commits} commits`;
}

async function sqliteLong(mount: string): Promise<string> {
  const startedAt = performance.now();
  await sqliteWork(join(mount, 'data.db'), {
    writers: SQLITE_WRITERS,
    transactions: SQLITE_TRANSACTIONS / SQLITE_WRITERS,
    timeoutMs: SQLITE_TIMEOUT_MS,
  });
  const rate = SQLITE_TRANSACTIONS / ((performance.now() - startedAt) / 1000);
  return (
    `${SQLITE_TRANSACTIONS} transactions in WAL mode, ${SQLITE_WRITERS} writers, ` +
    `${Math.round(rate)} a second; integrity_check ok`
  );
}

async function postgresLong(context: Cleanup, mount: string): Promise<string> {
  const { tps } = await postgresWork(context, mount, { scale: 5, clients: 4, seconds: 30 });
  return (
    `initdb, pgbench scale 5, 4 clients, 30 s: ${Math.round(tps)} transactions a second; ` +
    'pg_amcheck --all without complaint'
  );
}

async function mariadbLong(context: Cleanup, mount: string): Promise<string> {
  const options = { tables: 4, rows: 10_000, threads: 4, seconds: 30 };
  const { tps, tables } = await mariadbWork(context, mount, options);
  return (
    `sysbench oltp_read_write, 4 threads, 30 s: ${Math.round(tps)} transactions a second; ` +
    `mariadb-check: ${tables} tables OK`
  );
}

const amcheck = join(postgresBin() ?? '/usr/lib/postgresql', 'pg_amcheck');

const APPLICATIONS: readonly Application[] = [
  {
    name: 'git',
    mode: 'semi-sync',
    needs: { commands: ['git'], files: [join(repoRoot, '.git')] },
    work: async (_context, mount) => gitWork(mount),
  },
  {
    name: 'npm',
    mode: 'semi-sync',
    needs: { commands: ['npm'] },
    work: async (_context, mount) => `npm ci: ${await npmCi(join(mount, 'project'))} packages`,
  },
  {
    name: 'build',
    mode: 'async',
    needs: { commands: ['npm', 'g++', 'make', 'python3'] },
    work: async (_context, mount) =>
      `better-sqlite3 ${await nativeBuild(join(mount, 'project'))} compiled, and a query with it`,
  },
  {
    name: 'sqlite',
    mode: 'semi-sync',
    needs: { commands: ['sqlite3'] },
    work: async (_context, mount) => sqliteLong(mount),
  },
  { name: 'postgresql', mode: 'sync', needs: { files: [amcheck] }, work: postgresLong },
  { name: 'mariadb', mode: 'sync', needs: { commands: MARIADB_COMMANDS }, work: mariadbLong },
];

/** True when it ran and both copies are equal. */
async function show({ name, mode, needs, work }: Application): Promise<boolean> {
  const absent = missing({ ...needs, fuse: true, addon: true });
  if (absent !== false) {
    process.stdout.write(`${name}: NOT RUN, ${absent}\n`);
    return false;
  }
  const startedAt = performance.now();
  try {
    const line = await withCleanup((context) =>
      onMirror(context, { mode }, async (mount) => {
        const figure = await work(context, mount);
        const worked = Math.round((performance.now() - startedAt) / 1000);
        const entries = (await shell('find . | wc -l', { cwd: mount })).trim();
        return `${figure} (${mode}, ${worked} s); ${entries} entries equal on both nodes`;
      }),
    );
    process.stdout.write(`${name}: ${line}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`${name}: FAILED\n${error instanceof Error ? error.stack : error}\n`);
    return false;
  }
}

const words = process.argv.slice(2);
const chosen = APPLICATIONS.filter(({ name }) => words.length === 0 || words.includes(name));
const unknown = words.filter((word) => !APPLICATIONS.some(({ name }) => name === word));

await withRoot(async () => {
  if (unknown.length > 0) {
    const known = APPLICATIONS.map(({ name }) => name).join(' ');
    process.stdout.write(`unknown: ${unknown.join(' ')}; one of: ${known}\n`);
    return 2;
  }
  let good = 0;
  for (const application of chosen) good += (await show(application)) ? 1 : 0;
  process.stdout.write(`${good} of ${chosen.length} applications: both trees equal\n`);
  return good === chosen.length ? 0 : 1;
});
