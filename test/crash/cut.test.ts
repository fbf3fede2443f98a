/** The link is cut, or carries nothing any more, under load. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MODES } from '../../src/core/types.js';
import { missing } from '../helpers/requires.js';
import { MirrorUnderLoad, PEER_TIMEOUT_MS } from './mirror-under-load.js';

const MARGIN_MS = 500;
const MORE_COMMITS = 5;

describe('the link', { skip: missing({ fuse: true, addon: true }) }, () => {
  for (const mode of MODES) {
    for (const fault of ['cut', 'stall'] as const) {
      test(`${fault} in ${mode}: goes on alone, heals, equal again`, async (t) => {
        const mirror = await MirrorUnderLoad.start(t, { mode, withProxy: true });
        const { primary, secondary, proxy } = mirror;
        assert.ok(proxy !== null);
        await mirror.commit();
        const usualMs = mirror.check(primary).longestMs;
        await (fault === 'cut' ? proxy.cut() : proxy.stall());
        await primary.waitStatus('alone', (status) => status.wentAlone);
        await mirror.load.waitForMore(MORE_COMMITS);
        const { longestMs } = mirror.check(primary);
        const limitMs = PEER_TIMEOUT_MS + MARGIN_MS + usualMs;
        assert.ok(longestMs <= limitMs, `longest ${longestMs} ms, at most ${limitMs} ms`);
        await secondary.waitStatus(
          'Consistent, without its primary',
          ({ link, data }) => link !== 'Connected' && data === 'Consistent',
        );
        await proxy.heal();
        await primary.waitEstablished();
        await mirror.load.waitForMore(MORE_COMMITS);
        await mirror.stopLoad();
        await mirror.assertEqual();
        mirror.assertComplete(secondary);
      });
    }
  }
});
