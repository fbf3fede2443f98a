/**
 * A resync with the real engine's marks: processes do everything at random on the mount while its source is
 * brought over. When the writers are held for the last time, both trees are equal.
 */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SourceCallbacks } from '../../src/resync/seam.js';
import { END, resync } from '../helpers/resync-pair.js';
import { tempDir } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, skip, type Rig } from './session-rig.js';

const churnMain = fileURLToPath(new URL('session-churn.js', import.meta.url));
const PROCESSES = 2;
const CHURN_MS = 120_000;

function startChurn(rig: Rig, seed: number): void {
  const args = [churnMain, rig.mountpoint, String(seed), String(CHURN_MS)];
  rig.children.add(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
}

/** The gate as the primary uses it; after the last pass it stays closed, to compare the trees. */
function callbacksOf(rig: Rig): SourceCallbacks {
  let frozen = false;
  let stopThrottle = (): void => undefined;
  return {
    freeze: async () => {
      frozen = true;
      rig.engine.setGate(false);
      await rig.engine.quiesce();
    },
    thaw: () => {
      frozen = false;
      rig.engine.setGate(true);
    },
    switchOn: () => END,
    throttle: (level) => {
      stopThrottle();
      if (level === 0) return;
      let held = false;
      const timer = setInterval(() => {
        held = !held;
        if (!frozen) rig.engine.setGate(!held);
      }, 20 * level);
      stopThrottle = () => {
        clearInterval(timer);
        if (!frozen) rig.engine.setGate(true);
      };
    },
  };
}

/** Until the processes have used the mount. */
async function used(rig: Rig, requests: number): Promise<void> {
  const before = rig.engine.counters().requests;
  await waitFor('requests', () => rig.engine.counters().requests >= before + requests);
}

for (const seed of [1, 2]) {
  test(`everything at once on the mount, seed ${seed}`, { skip }, async (t) => {
    const rig = await mountedRig(t);
    const target = tempDir(t, 'target');
    for (let index = 0; index < PROCESSES; index += 1) startChurn(rig, seed * 100 + index);
    for (const requests of [5000, 3000]) {
      await used(rig, requests);
      rig.engine.setStream('track');
      const { source } = rig;
      const callbacks = callbacksOf(rig);
      const { passes } = await resync({ source, target, marks: rig.engine, callbacks });
      assert.ok(passes > 1);
      assert.deepEqual(findDifferences(source, target), []);
      // As when the link is lost: the next resync knows nothing of this one.
      rig.engine.setStream('off');
      rig.engine.setGate(true);
    }
  });
}
