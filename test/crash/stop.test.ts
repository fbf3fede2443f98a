/**
 * SIGSTOP of the primary under load: a primary that is there and does nothing. Its copy takes over
 * with all that was answered. (A stopped secondary: test/fuse/failures-loss.test.ts.)
 */
import { describe, test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { MirrorUnderLoad } from './mirror-under-load.js';

describe('a stopped primary', { skip: missing({ fuse: true, addon: true }) }, () => {
  for (const mode of ['sync', 'semi-sync'] as const) {
    test(`${mode}: the copy has what was answered, and takes over`, async (t) => {
      const mirror = await MirrorUnderLoad.start(t, { mode });
      const { primary, secondary } = mirror;
      await mirror.commit();
      primary.pause();
      await secondary.waitStatus(
        'Consistent, without its primary',
        ({ link, data }) => link !== 'Connected' && data === 'Consistent',
      );
      await mirror.failOver();
      mirror.assertComplete(secondary);
      // It must not come to life again as a second primary.
      await primary.kill();
      await mirror.stopLoad();
      await mirror.comeBack();
      await mirror.assertEqual();
      mirror.assertComplete(primary);
    });
  }
});
