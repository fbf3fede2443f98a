import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_OPTIONS, OPTION_KEYS, parseOptions } from '../../../src/config/options.js';

const MIB = 1024 * 1024;

describe('-o options', () => {
  test('none: the defaults', () => {
    assert.deepEqual(parseOptions([]), DEFAULT_OPTIONS);
    assert.deepEqual(parseOptions(['']), DEFAULT_OPTIONS);
  });

  test('repeated and comma separated are the same; the last word wins', () => {
    const expected = { ...DEFAULT_OPTIONS, workers: 3, syncMetadata: true };
    assert.deepEqual(parseOptions(['workers=2,sync_metadata', 'workers=3']), expected);
    assert.deepEqual(parseOptions(['workers=2', 'sync_metadata', 'workers=3']), expected);
  });

  test('times with their units', () => {
    assert.equal(parseOptions(['peer_timeout=3s']).peerTimeoutMs, 3000);
    assert.equal(parseOptions(['peer_timeout=500ms']).peerTimeoutMs, 500);
    assert.equal(parseOptions(['peer_timeout=1.5s']).peerTimeoutMs, 1500);
    assert.equal(parseOptions(['peer_timeout=2m']).peerTimeoutMs, 120_000);
    for (const bad of ['3', '', 's', '3h', '-1s']) {
      assert.throws(() => parseOptions([`peer_timeout=${bad}`]), { exit: 'usage', message: /3s/ });
    }
    assert.throws(() => parseOptions(['peer_timeout']), { exit: 'usage' });
    assert.throws(() => parseOptions(['peer_timeout=1ms']), { exit: 'usage', message: /from/ });
  });

  test('sizes with their units', () => {
    assert.equal(parseOptions(['queue_bytes=64M']).queueBytes, 64 * MIB);
    assert.equal(parseOptions(['queue_bytes=1g']).queueBytes, 1024 * MIB);
    assert.equal(parseOptions(['queue_bytes=8MiB']).queueBytes, 8 * MIB);
    assert.equal(parseOptions([`queue_bytes=${9 * MIB}`]).queueBytes, 9 * MIB);
    for (const bad of ['1', '7M', '100000G', 'M', 'lots', '']) {
      assert.throws(() => parseOptions([`queue_bytes=${bad}`]), { exit: 'usage' }, bad);
    }
  });

  test('switches', () => {
    assert.equal(parseOptions(['writeback_cache']).writebackCache, true);
    assert.equal(parseOptions(['writeback_cache=yes']).writebackCache, true);
    assert.equal(parseOptions(['writeback_cache,writeback_cache=off']).writebackCache, false);
    assert.throws(() => parseOptions(['writeback_cache=perhaps']), { exit: 'usage' });
    assert.throws(() => parseOptions(['writeback_cache=']), { exit: 'usage' });
  });

  test('words', () => {
    assert.equal(parseOptions(['on_peer_loss=read-only']).onPeerLoss, 'read-only');
    assert.throws(() => parseOptions(['on_peer_loss=panic']), {
      exit: 'usage',
      message: /continue, block, read-only/,
    });
  });

  test('an unknown key lists the known ones', () => {
    for (const bad of ['peer-timeout=3s', 'toString', '__proto__=1']) {
      assert.throws(
        () => parseOptions([bad]),
        (error: Error) => OPTION_KEYS.every((key) => error.message.includes(key)),
        bad,
      );
    }
  });
});
