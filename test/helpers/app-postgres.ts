/**
 * What the tests do with PostgreSQL: a cluster on the mirror, its sockets elsewhere, pgbench for a
 * while, a look into every table and index, and a restart.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { findPostgres, Postgres } from '../../src/demo/postgres.js';
import type { Cleanup } from './temp-dir.js';
import { tempDir } from './temp-dir.js';

export interface PostgresOptions {
  readonly scale: number;
  readonly clients: number;
  readonly seconds: number;
}

/**
 * pgbench's own rule: each transaction adds one amount to an account, a teller, a branch and the
 * history, so all sums are equal.
 */
const SUMS =
  'SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(delta) FROM pgbench_history),' +
  '(SELECT sum(tbalance) FROM pgbench_tellers) - (SELECT sum(delta) FROM pgbench_history),' +
  '(SELECT sum(bbalance) FROM pgbench_branches) - (SELECT sum(delta) FROM pgbench_history)';

/** Leaves the cluster stopped; throws when anything is wrong with it. */
export async function postgresWork(
  context: Cleanup,
  mount: string,
  options: PostgresOptions,
): Promise<{ tps: number }> {
  const access = findPostgres();
  if (typeof access === 'string') throw new Error(access);
  const server = new Postgres(access, join(mount, 'pg'), tempDir(context, 'pg'));
  context.after(() => server.crash());
  await server.init();
  await server.start();
  await server.run('pgbench', ['-q', '-i', '-s', String(options.scale)]);
  const tps = await server.pgbench(options.clients, options.seconds);
  assert.equal(await server.query(SUMS), '0|0|0');
  await server.run('pg_amcheck', ['--all', '--install-missing', '--heapallindexed']);
  const count = await server.query('SELECT count(*) FROM pgbench_history');
  assert.ok(Number(count) > 0, `${count} transactions`);
  await server.stop();
  await server.start();
  assert.equal(await server.query('SELECT count(*) FROM pgbench_history'), count);
  await server.stop();
  return { tps };
}
