import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockState } from '../../../src/io/state-lock.js';

const LOCK_MODULE = fileURLToPath(new URL('../../../src/io/state-lock.js', import.meta.url));

function stateDir(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'twinfs-t-lock-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Another process that takes the lock and keeps it; resolves once it has it. */
async function holder(t: TestContext, directory: string) {
  const code = `
    const { lockState } = await import(${JSON.stringify(LOCK_MODULE)});
    globalThis.lock = await lockState(${JSON.stringify(directory)});
    process.stdout.write('locked');
    setInterval(() => globalThis.lock, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('one holder at a time; released, it can be taken again', async (t) => {
  const directory = stateDir(t);
  const lock = await lockState(directory);
  await assert.rejects(lockState(directory), { code: 'state-locked', exit: 'alreadyMounted' });
  await lock.release();
  await (await lockState(directory)).release();
});

test('another process is named by its pid, and its lock dies with it', async (t) => {
  const directory = stateDir(t);
  const child = await holder(t, directory);
  await assert.rejects(lockState(directory), new RegExp(`process ${child.pid}`));
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  await (await lockState(directory)).release();
});

test('a child of the holder does not inherit the lock', async (t) => {
  const directory = stateDir(t);
  const lock = await lockState(directory);
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => sleeper.kill('SIGKILL'));
  await once(sleeper, 'spawn');
  await lock.release();
  await (await lockState(directory)).release();
});

test('a state directory that is not there is refused by name', async (t) => {
  await assert.rejects(lockState(join(stateDir(t), 'missing')), { code: 'state-unusable' });
});
