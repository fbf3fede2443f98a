/** The demo holds what it shows, and leaves nothing behind, even when it is interrupted. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeftovers } from '../helpers/leftovers.js';
import { cliMain } from '../helpers/paths.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const DEMO_TIMEOUT_MS = 240_000;

interface Demo {
  readonly base: string;
  text: string;
  code: number | null | undefined;
  kill(signal: NodeJS.Signals): void;
}

function start(t: TestContext, args: readonly string[]): Demo {
  const base = tempDir(t, 'demo');
  const child = spawn(process.execPath, [cliMain, 'demo', ...args], {
    env: { ...process.env, TMPDIR: base },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const demo: Demo = {
    base,
    text: '',
    code: undefined,
    kill: (signal) => void child.kill(signal),
  };
  const keep = (text: Buffer): void => void (demo.text += text.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('close', (code) => (demo.code = code));
  t.after(() => void child.kill('SIGKILL'));
  return demo;
}

async function ended(demo: Demo): Promise<number | null | undefined> {
  await waitFor('the end of the demo', () => demo.code !== undefined, {
    timeoutMs: DEMO_TIMEOUT_MS,
  });
  return demo.code;
}

function assertClean(demo: Demo): void {
  assert.deepEqual(findLeftovers(demo.base), []);
  assert.deepEqual(fs.readdirSync(demo.base), []);
}

const needs = { fuse: true, addon: true, commands: ['git', 'sqlite3'] };

describe('the demo', { skip: missing(needs) }, () => {
  test('runs to its verdict', async (t) => {
    const demo = start(t, ['--no-postgres', '--seconds', '1', '--mode', 'semi-sync']);
    assert.equal(await ended(demo), 0, demo.text);
    assert.match(demo.text, /Verdict: it held \(mode semi-sync\)/);
    assert.match(demo.text, /[1-9][0-9,]* acknowledged commits, 0 missing/);
    assertClean(demo);
  });

  test('interrupted, it clears away what it made', async (t) => {
    const demo = start(t, ['--no-postgres', '--seconds', '30']);
    await waitFor('applications at work', () => demo.text.includes('SQLite: WAL mode'), {
      timeoutMs: DEMO_TIMEOUT_MS,
    });
    demo.kill('SIGINT');
    assert.equal(await ended(demo), 130, demo.text);
    assertClean(demo);
  });

  test('a wrong word is refused before anything is made', async (t) => {
    const demo = start(t, ['--mode', 'sometimes']);
    assert.equal(await ended(demo), 2);
    assert.match(demo.text, /--mode .*must be one of sync, semi-sync, async/);
    assertClean(demo);
  });
});
