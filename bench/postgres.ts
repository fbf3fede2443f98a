/** PostgreSQL as a workload: a new cluster, pgbench filled at scale 5, 4 clients. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Postgres, findPostgres } from '../src/demo/postgres.js';

const SCALE = '5';
const CLIENTS = 4;

/** Transactions per second. */
export async function pgbench(directory: string, seconds: number): Promise<number> {
  const access = findPostgres();
  if (typeof access === 'string') throw new Error(access);
  const sockets = mkdtempSync(join(tmpdir(), 'pgs-'));
  const server = new Postgres(access, join(directory, 'cluster'), sockets);
  try {
    await server.init();
    await server.start();
    await server.run('pgbench', ['-i', '-q', '-s', SCALE]);
    await server.query('CHECKPOINT');
    const rate = await server.pgbench(CLIENTS, seconds);
    await server.stop();
    return rate;
  } finally {
    await server.crash();
    rmSync(sockets, { recursive: true, force: true });
  }
}
