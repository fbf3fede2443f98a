/**
 * Failover, and failover back: each node is killed once as the primary under load, each is brought
 * up to date by the other. What was acknowledged on either is in both copies at the end.
 */
import { describe, test } from 'node:test';
import { MODES } from '../../src/core/types.js';
import { missing } from '../helpers/requires.js';
import { MirrorUnderLoad } from './mirror-under-load.js';

describe('there and back', { skip: missing({ fuse: true, addon: true }) }, () => {
  for (const mode of MODES) {
    test(mode, async (t) => {
      const mirror = await MirrorUnderLoad.start(t, { mode });
      for (const _ of ['there', 'back']) {
        await mirror.commit();
        const { primary, secondary } = mirror;
        if (mode === 'async') {
          // What a flush has confirmed is safe in every mode.
          await mirror.stopLoad();
          await primary.must('flush');
        }
        await primary.kill();
        await mirror.stopLoad();
        await mirror.failOver();
        mirror.assertComplete(secondary);
        await mirror.comeBack();
        await mirror.assertEqual();
        mirror.assertComplete(primary);
      }
    });
  }

  test('async with a queue: the copy is the primary at one point of its history', async (t) => {
    const mirror = await MirrorUnderLoad.start(t, { mode: 'async' });
    await mirror.commit(20);
    await mirror.primary.kill();
    await mirror.stopLoad();
    await mirror.failOver();
    mirror.assertPrefix(mirror.primary);
  });
});
