import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MARIADB_COMMANDS, mariadbWork } from '../helpers/app-mariadb.js';
import { postgresWork } from '../helpers/app-postgres.js';
import { sqliteWork } from '../helpers/app-sqlite.js';
import { onMirror } from '../helpers/application.js';
import { longOnly, missing, postgresBin } from '../helpers/requires.js';

const mirror = { fuse: true, addon: true };
const postgres = [
  '/usr/lib/postgresql',
  join(postgresBin() ?? '/usr/lib/postgresql', 'pg_amcheck'),
];

describe('databases on a mirror', () => {
  const sqliteNeeds = missing({ ...mirror, commands: ['sqlite3'] });
  test('SQLite in WAL mode, two writers at once', { skip: sqliteNeeds }, async (t) => {
    await onMirror(t, { mode: 'semi-sync' }, async (mount) => {
      const file = join(mount, 'data.db');
      await sqliteWork(file, { writers: 2, transactions: 500 });
      // The last one to close put the log into the database.
      assert.deepEqual(fs.readdirSync(mount), ['data.db']);
    });
  });

  const postgresNeeds = missing({ ...mirror, files: postgres });
  test('PostgreSQL: initdb, pgbench, pg_amcheck', { skip: postgresNeeds }, async (t) => {
    await onMirror(t, { mode: 'sync' }, async (mount) => {
      const { tps } = await postgresWork(t, mount, { scale: 1, clients: 2, seconds: 10 });
      assert.ok(tps > 0);
    });
  });

  const mariadbNeeds = longOnly({ ...mirror, commands: MARIADB_COMMANDS });
  test('MariaDB: sysbench, a check of every table', { skip: mariadbNeeds }, async (t) => {
    await onMirror(t, { mode: 'sync' }, async (mount) => {
      const options = { tables: 2, rows: 2000, threads: 4, seconds: 10 };
      const { tps, tables } = await mariadbWork(t, mount, options);
      assert.ok(tps > 0);
      assert.ok(tables > options.tables, `${tables} tables checked`);
    });
  });
});
