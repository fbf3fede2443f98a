/**
 * What the tests do with SQLite: writers, each a sqlite3 process of its own, that commit numbered
 * rows and a shared counter in WAL mode, where the processes share the index of the log by mmap.
 */
import assert from 'node:assert/strict';
import { run } from './application.js';

export interface SqliteOptions {
  readonly writers: number;
  /** Of each writer. */
  readonly transactions: number;
  readonly timeoutMs?: number;
}

const SETTINGS = '.timeout 60000\nPRAGMA journal_mode=WAL;\nPRAGMA synchronous=FULL;\n';
const SCHEMA =
  'CREATE TABLE entry (writer INT, number INT, text TEXT, PRIMARY KEY (writer, number));' +
  'CREATE TABLE counter (value INT); INSERT INTO counter VALUES (0);';

function script(writer: number, transactions: number): string {
  const lines = Array.from(
    { length: transactions },
    (_, number) =>
      `BEGIN IMMEDIATE; INSERT INTO entry VALUES (${writer}, ${number}, hex(randomblob(60)));` +
      'UPDATE counter SET value = value + 1; COMMIT;',
  );
  return `${SETTINGS}${lines.join('\n')}\n`;
}

const sqlite = (file: string, input: string, timeoutMs?: number): Promise<string> =>
  run('sqlite3', ['-bail', '-batch', file], {
    input,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

/** Runs the writers together and checks that no commit is lost and the database is sound. */
export async function sqliteWork(file: string, options: SqliteOptions): Promise<void> {
  const { writers, transactions, timeoutMs } = options;
  await sqlite(file, `${SETTINGS}${SCHEMA}`);
  await Promise.all(
    Array.from({ length: writers }, (_, writer) =>
      sqlite(file, script(writer, transactions), timeoutMs),
    ),
  );
  const all = writers * transactions;
  const sql = 'SELECT value FROM counter; SELECT count(*) FROM entry; PRAGMA integrity_check;';
  assert.equal(await sqlite(file, sql), `${all}\n${all}\nok\n`);
}
