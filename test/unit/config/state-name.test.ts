import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pathOfStateName, stateName } from '../../../src/config/state-name.js';

const name = (path: string): string => stateName(Buffer.from(path, 'latin1'));

describe('names of state directories', () => {
  test('escaped as systemd-escape --path does it', () => {
    assert.equal(name('/srv/data'), 'srv-data');
    assert.equal(name('/'), '-');
    assert.equal(name('/srv/my data'), 'srv-my\\x20data');
    assert.equal(name('/a-b/c_d:e.f'), 'a\\x2db-c_d:e.f');
    assert.equal(name('/.hidden/.x'), '\\x2ehidden-.x');
    assert.equal(name('/a\\b'), 'a\\x5cb');
    assert.equal(name('/\xff\n'), '\\xff\\x0a');
  });

  test('different directories have different names, and the way back exists', () => {
    const paths = [
      '/',
      '/a',
      '/a/b',
      '/a-b',
      '/a\\x2db',
      '/.a',
      '/\xc3\xbc',
      '/\xfc',
      '/a:b',
      '/-',
    ];
    const names = paths.map(name);
    assert.equal(new Set(names).size, paths.length);
    for (const [index, path] of paths.entries()) {
      assert.equal(pathOfStateName(names[index] ?? '')?.toString('latin1'), path);
    }
  });

  test('a long path is cut to what a file name may be and stays its own', () => {
    const long = `/${'x y/'.repeat(100)}`;
    const first = name(`${long}a`);
    assert.ok(first.length <= 255);
    assert.notEqual(first, name(`${long}b`));
    assert.equal(pathOfStateName(first), null);
  });

  test('what is no such name', () => {
    for (const text of ['', 'a b', 'a\\x2', 'a/b', 'ü']) {
      assert.equal(pathOfStateName(text), null, text);
    }
  });
});
