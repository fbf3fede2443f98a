import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultText } from '../../../src/cli/result.js';
import { plainWords, usageText } from '../../../src/cli/usage-text.js';

test('words of yargs become ours, on one line', () => {
  const cases: [string, string][] = [
    ['Not enough non-option arguments: got 0, need at least 1', 'DIR is missing'],
    ['Not enough non-option arguments: got 1, need at least 2', 'an argument is missing'],
    ['Missing required argument: listen', '--listen is missing'],
    ['Missing required arguments: listen, peer', '--listen, --peer is missing'],
    ['Not enough arguments following: o', '-o needs a value'],
    ['Not enough arguments following: peer', '--peer needs a value'],
    ['Unknown argument: foo', 'unknown option or argument: foo'],
    ['Unknown command: mont', 'unknown command or argument: mont'],
    [
      'Invalid values:\n  Argument: mode, Given: "x", Choices: "sync", "async"',
      '--mode x: must be one of sync, async',
    ],
    ['Something\n  else', 'something else'],
  ];
  for (const [theirs, ours] of cases) assert.equal(usageText(theirs), ours);
});

test('what follows -- is a name, whatever it looks like', () => {
  assert.deepEqual(plainWords(['mount', 'x']), ['mount', 'x']);
  assert.deepEqual(plainWords(['mount', '--', '-x', 'y', '--']), ['mount', './-x', 'y', './--']);
});

test('what a result has to say', () => {
  assert.equal(resultText('done'), 'done');
  assert.equal(resultText({ message: 'm' }), 'm');
  assert.equal(resultText({ heard: 'h' }), 'h');
  for (const nothing of [null, undefined, 7, {}, { message: 7 }]) {
    assert.equal(resultText(nothing), null);
  }
});
