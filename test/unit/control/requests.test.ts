import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AssertionError } from '../../../src/assert.js';
import type { Request } from '../../../src/control/messages.js';
import {
  decodeRequest,
  encodeReply,
  encodeRequest,
  failureReply,
  openReply,
} from '../../../src/control/requests.js';
import { TwinfsError } from '../../../src/errors.js';

describe('control requests', () => {
  test('there and back', () => {
    const requests: Request[] = [
      { command: 'status' },
      { command: 'mode', mode: 'async' },
      { command: 'umount', lazy: false },
      { command: 'promote', peer: { host: 'b', port: 1 }, mode: 'sync', force: true },
      { command: 'connect', overwritePeer: false, peer: { host: 'b', port: 1 } },
    ];
    for (const request of requests) {
      const line = encodeRequest(request);
      assert.ok(!line.includes('\n'));
      assert.deepEqual(decodeRequest(line), request);
    }
  });

  test('unknown fields are left out: a newer command line may send them', () => {
    assert.deepEqual(decodeRequest('{"command":"stop","when":"now"}'), { command: 'stop' });
  });

  test('an older daemon says what to do', () => {
    assert.throws(() => decodeRequest('{"command":"swap"}'), {
      code: 'bad-request',
      exit: 'protocol',
      message: /"swap".*restart the daemon/,
    });
  });

  test('bad fields', () => {
    for (const line of [
      '',
      '7',
      '{"command":"mode"}',
      '{"command":"umount","lazy":"yes"}',
      '{"command":"promote","mode":null,"force":true}',
      '{"command":"promote","peer":null,"mode":"x","force":true}',
      '{"command":"connect","overwritePeer":true}',
      '{"command":"connect","overwritePeer":true,"peer":{"host":"b"}}',
    ]) {
      assert.throws(() => decodeRequest(line), { code: 'bad-request' }, line);
    }
  });
});

describe('control replies', () => {
  test('a result comes back as it is', () => {
    assert.deepEqual(openReply(encodeReply({ ok: true, result: { a: [1] } })), { a: [1] });
    assert.equal(openReply('{"ok":true}'), null);
  });

  test('an error comes back as itself', () => {
    const error = new TwinfsError('two-primaries', 'refused', 'both are Primary; stop one');
    assert.throws(() => openReply(encodeReply(failureReply(error))), {
      name: 'TwinfsError',
      code: 'two-primaries',
      exit: 'refused',
      message: 'both are Primary; stop one',
    });
  });

  test('a bug keeps its exit status; anything else is a failure', () => {
    const exitOf = (error: unknown) => {
      const reply = failureReply(error);
      return reply.ok ? null : reply.exit;
    };
    assert.equal(exitOf(new AssertionError('x')), 'bug');
    assert.equal(exitOf(new Error('x')), 'failed');
    assert.equal(exitOf('x'), 'failed');
  });

  test('a reply nobody understands is a failure, not a crash', () => {
    assert.throws(() => openReply('{"ok":false,"exit":"toString"}'), { exit: 'failed' });
    assert.throws(() => openReply('nonsense'), { code: 'bad-request' });
  });
});
