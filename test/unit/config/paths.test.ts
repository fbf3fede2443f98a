import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalPath, isWithin, showPath } from '../../../src/config/paths.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('paths', () => {
  test('within goes by components, not by characters', () => {
    const within = (path: string, directory: string) => isWithin(bytes(path), bytes(directory));
    assert.equal(within('/a', '/a'), true);
    assert.equal(within('/a/b', '/a'), true);
    assert.equal(within('/ab', '/a'), false);
    assert.equal(within('/a', '/a/b'), false);
    assert.equal(within('/a', '/'), true);
    assert.equal(within('/', '/'), true);
  });

  test('shown without spoiling a terminal', () => {
    assert.equal(showPath(bytes('/srv/data')), '/srv/data');
    assert.equal(showPath(Buffer.from('/srv/ü')), '/srv/ü');
    assert.equal(showPath(bytes('/\xff\x1b[31m')), '/\\xff\\x1b[31m');
    assert.equal(showPath(bytes('/a\nb')), '/a\\x0ab');
  });

  const canonical = (path: string, links: Record<string, string>, opaque: string[] = []) => {
    const asked: string[] = [];
    const result = canonicalPath(bytes(path), {
      readLink: (candidate) => {
        const text = candidate.toString('latin1');
        asked.push(text);
        const target = links[text];
        return target === undefined ? null : bytes(target);
      },
      isOpaque: (candidate) => opaque.includes(candidate.toString('latin1')),
    });
    return { path: result.toString('latin1'), asked };
  };

  test('dots, doubled and trailing slashes', () => {
    assert.equal(canonical('//a/./b//c/../d/', {}).path, '/a/b/d');
    assert.equal(canonical('/../..', {}).path, '/');
  });

  test('symbolic links: absolute, relative, chained, with dots behind them', () => {
    assert.equal(canonical('/l/x', { '/l': '/a/b' }).path, '/a/b/x');
    assert.equal(canonical('/a/l', { '/a/l': '../c' }).path, '/c');
    assert.equal(canonical('/l/..', { '/l': '/a/b' }).path, '/a');
    assert.equal(canonical('/l', { '/l': 'm', '/m': '/n' }).path, '/n');
    assert.equal(canonical('/\xff', { '/\xff': '/\xfe' }).path, '/\xfe');
  });

  test('a loop is an error, not a hang', () => {
    assert.throws(() => canonical('/l', { '/l': '/l' }), { exit: 'badDirectory' });
  });

  test('an opaque mount is never asked', () => {
    const { path, asked } = canonical('/srv/dead', {}, ['/srv/dead']);
    assert.equal(path, '/srv/dead');
    assert.deepEqual(asked, ['/srv']);
  });
});
