import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readLock, takeLocks } from '../../../src/io/lock.js';

const LOCK_MODULE = fileURLToPath(new URL('../../../src/io/lock.js', import.meta.url));

interface Place {
  readonly state: string;
  readonly directory: string;
}

function place(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'twinfs-t-lock-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [state, directory] = [join(root, 'state'), join(root, 'data')];
  mkdirSync(state);
  mkdirSync(directory);
  return { state, directory };
}

/** Another process that takes the locks, starts a child that outlives it, and keeps them. */
async function holder(t: TestContext, { state, directory }: Place) {
  const code = `
    const { takeLocks } = await import(${JSON.stringify(LOCK_MODULE)});
    const { spawn } = await import('node:child_process');
    const path = Buffer.from(${JSON.stringify(directory)});
    takeLocks(${JSON.stringify(state)}, { pid: process.pid, directory: path, mountpoint: path });
    const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    process.stdout.write(String(child.pid));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [sleeper] = (await once(child.stdout, 'data')) as [Buffer];
  t.after(() => process.kill(Number(sleeper.toString()), 'SIGKILL'));
  return child;
}

const take = ({ state, directory }: Place): void => {
  const path = Buffer.from(directory);
  takeLocks(state, { pid: process.pid, directory: path, mountpoint: path });
};

test('a held state directory and a held directory are refused, each by itself', async (t) => {
  const held = place(t);
  const other = place(t);
  const child = await holder(t, held);
  const refused = { code: 'already-running', message: new RegExp(`${child.pid}`) };
  assert.throws(() => take({ ...other, state: held.state }), refused);
  assert.throws(() => take({ ...other, directory: held.directory }), { code: 'already-running' });
  assert.equal(readLock(held.state)?.pid, child.pid);
  assert.equal(readLock(held.state)?.directory.toString(), held.directory);
});

test('the locks die with their process, though a child of it lives on', async (t) => {
  const held = place(t);
  const child = await holder(t, held);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  take(held);
  assert.equal(readLock(held.state)?.pid, process.pid);
});
