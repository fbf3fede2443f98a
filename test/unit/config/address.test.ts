import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  checkPlaintext,
  formatAddress,
  isLoopback,
  parseAddress,
} from '../../../src/config/address.js';
import { TwinfsError } from '../../../src/errors.js';

describe('addresses', () => {
  test('host names, IPv4 and bracketed IPv6', () => {
    assert.deepEqual(parseAddress('b:7400', '--peer'), { host: 'b', port: 7400 });
    assert.deepEqual(parseAddress('10.0.0.2:1', '--peer'), { host: '10.0.0.2', port: 1 });
    assert.deepEqual(parseAddress('[fd00::2]:65535', '--peer'), { host: 'fd00::2', port: 65535 });
    assert.deepEqual(parseAddress('[fe80::1%eth0]:9', '--peer'), { host: 'fe80::1%eth0', port: 9 });
  });

  test('what is none is a usage error that names the option and the form', () => {
    for (const text of [
      '',
      'b',
      ':7400',
      'b:',
      'b:x',
      'fd00::2:7400',
      '[b]7400',
      'a b:1',
      'b:-1',
    ]) {
      assert.throws(
        () => parseAddress(text, '--peer'),
        (error) =>
          error instanceof TwinfsError &&
          error.exit === 'usage' &&
          /^--peer .*HOST:PORT/.test(error.message),
        text,
      );
    }
  });

  test('ports from 1 to 65535', () => {
    for (const text of ['b:0', 'b:65536', 'b:99999']) {
      assert.throws(() => parseAddress(text, '--listen'), { code: 'bad-port', exit: 'usage' });
    }
  });

  test('formatting is the way back', () => {
    for (const text of ['b:7400', '127.0.0.1:1', '[::1]:7400']) {
      assert.equal(formatAddress(parseAddress(text, '--peer')), text);
    }
  });

  test('loopback by name and number', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      assert.equal(isLoopback(host), true, host);
    }
    for (const host of [
      'b',
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.evil.example',
      'localhost.example',
    ]) {
      assert.equal(isLoopback(host), false, host);
    }
  });

  test('plaintext beyond loopback needs the override, and says so', () => {
    const remote = parseAddress('b:7400', '--peer');
    assert.throws(() => checkPlaintext(remote, '--peer', false), {
      exit: 'insecure',
      message: /--insecure/,
    });
    checkPlaintext(remote, '--peer', true);
    checkPlaintext(parseAddress('[::1]:7400', '--peer'), '--peer', false);
  });
});
