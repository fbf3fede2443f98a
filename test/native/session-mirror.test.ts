/**
 * The stream is complete: many processes do everything at once, the ops are applied elsewhere as a
 * secondary does, each one must be possible, and afterwards both trees are equal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { native } from '../../src/io/native.js';
import { applyOp } from '../../src/secondary/apply-op.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { compareTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, skip, type Rig, type RigOptions } from './session-rig.js';

const churnMain = fileURLToPath(new URL('session-churn.js', import.meta.url));
const PROCESSES = 6;
const CHURN_MS = 3000;

async function churn(rig: Rig, seed: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [churnMain, rig.mountpoint, String(seed), String(CHURN_MS)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  rig.children.add(child);
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(status, 0, `seed ${seed}: ${errors}`);
  return Number(output);
}

/** Applies what has come since the last call; returns the ops that could not be applied. */
function applierOf(context: Cleanup, rig: Rig, copy: string): () => string[] {
  const fd = fs.openSync(copy, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  const applier = new (native().Applier)(fd);
  context.after(() => {
    applier.close();
    fs.closeSync(fd);
  });
  return () => {
    const failed: string[] = [];
    for (const { op } of rig.changes.splice(0)) {
      if (op.kind === 'fsync' || op.kind === 'barrier') continue;
      const errno = applyOp(applier, op);
      if (errno !== 0) failed.push(`${op.kind}: ${errno}`);
    }
    return failed;
  };
}

const VARIANTS: Readonly<Record<string, RigOptions>> = {
  'answered by the stream': { by: 'stream' },
  'answered by the stream and the local disk': { by: 'stream', syncData: true },
  'answered locally': { by: 'local' },
  'with write-back caching': {
    by: 'stream',
    mount: { writebackCache: true },
  },
  'with little room in the hand-over': {
    by: 'stream',
    mount: { handoffBytesMax: 128 * 1024 },
  },
};

for (const [what, options] of Object.entries(VARIANTS)) {
  test(`everything at once, ${what}`, { skip }, async (context) => {
    const copy = tempDir(context, 'copy');
    const rig = await mountedRig(context, { stream: 'on', ...options });
    const applyNew = applierOf(context, rig, copy);
    const failed: string[] = [];
    const timer = setInterval(() => failed.push(...applyNew()), 50);
    context.after(() => clearInterval(timer));
    const first = 1 + (process.pid % 1000) * PROCESSES;
    const counts = await Promise.all(
      Array.from({ length: PROCESSES }, (_, index) => churn(rig, first + index)),
    );
    assert.ok(counts.every((count) => count > 0));
    await rig.engine.unmount(false);
    await waitFor('the end', () => rig.ended.length > 0);
    failed.push(...applyNew());
    assert.deepEqual(failed, [], `seeds from ${first}`);
    assert.deepEqual(await compareTrees(rig.source, copy), [], `seeds from ${first}`);
    assert.equal(rig.engine.counters().handoffBytes, 0);
    assert.equal(rig.engine.counters().pendingAnswers, 0);
  });
}
