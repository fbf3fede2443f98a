/**
 * Failures one upon another, drawn from a seed, under commits and under random changes of names
 * and attributes: no application sees one, and the copies are equal when it is over.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MODES } from '../../src/core/types.js';
import { Churn } from '../helpers/churn.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { startPair } from '../helpers/node-process.js';
import { isLongRun, missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { random } from '../helpers/tree-mutator.js';
import { waitFor } from '../helpers/wait-for.js';

const EVENTS = isLongRun ? 60 : 10;
const SEEDS = isLongRun ? [1, 2, 3, 4, 5] : [Number(process.env['TWINFS_TEST_SEED'] ?? 7)];

describe('failures one upon another', { skip: missing({ fuse: true, addon: true }) }, () => {
  for (const seed of SEEDS) {
    test(`seed ${seed}`, async (t) => {
      const draw = random(seed);
      const pair = await startPair(t, {
        mode: 'semi-sync',
        withProxy: true,
        mountArgs: ['-o', 'peer_timeout=1s'],
        serveArgs: ['-o', 'peer_timeout=1s'],
      });
      const { primary, secondary, proxy, port } = pair;
      assert.ok(proxy !== null);
      const logFile = join(tempDir(t), 'log');
      const load = CommitLoad.start(t, { directory: join(primary.directory, 'load'), logFile });
      const churn = Churn.start(t, join(primary.directory, 'churn'), seed);
      const lost = (): Promise<unknown> =>
        primary.waitStatus('the loss', (s) => s.replication !== 'Established');
      const established = async (): Promise<void> => {
        // Losses that follow each other closely are waited out longer and longer: not here.
        await primary.must('connect');
        await primary.waitEstablished();
      };
      const events: Record<string, () => Promise<unknown>> = {
        cut: async () => {
          await proxy.cut();
          await lost();
          await proxy.heal();
        },
        stall: async () => {
          await proxy.stall(draw(2) === 0 ? 'forward' : 'backward');
          await lost();
          await proxy.heal();
        },
        'half close': () => proxy.halfClose(draw(2) === 0 ? 'forward' : 'backward'),
        stop: async () => {
          secondary.pause();
          await lost();
          secondary.resume();
        },
        kill: async () => {
          await secondary.kill();
          await secondary.serve(port, ['-o', 'peer_timeout=1s']);
        },
        restart: async () => {
          await secondary.must('stop');
          await secondary.serve(port, ['-o', 'peer_timeout=1s']);
        },
        mode: () => primary.must('mode', [MODES[draw(MODES.length)] ?? 'sync']),
        flush: () => primary.run('flush'),
        quiet: established,
      };
      const names = Object.keys(events);
      const drawn: string[] = [];
      for (let event = 0; event < EVENTS; event += 1) {
        const name = names[draw(names.length)] ?? 'quiet';
        drawn.push(name);
        await events[name]?.();
        await load.waitForMore(5);
        await churn.goesOn();
      }
      await established();
      await Promise.all([load.stop(), churn.stop()]);
      await primary.must('flush');
      await waitForEqualTrees(primary.directory, secondary.directory);
      const verdict = checkCommits(logFile, join(secondary.directory, 'load'));
      assert.deepEqual([...verdict.errors, ...verdict.missing], [], drawn.join(', '));
      assert.ok(fs.readdirSync(join(secondary.directory, 'churn')).length > 0);
      // What was seen last is also what a restart finds.
      await primary.must('umount');
      await waitFor('the end', () => primary.pids().length === 0);
      await waitForEqualTrees(primary.directory, secondary.directory);
    });
  }
});
