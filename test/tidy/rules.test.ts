/** Each tidy rule finds a planted violation and lets the good neighbour pass. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { linksResolve, mentionsExist, scriptsExist } from './docs-rules.js';
import { importRules } from './import-rules.js';
import { check } from './project-files.js';
import type { Rule } from './project-files.js';
import { fileLength, functionLength, lineLength } from './size-rules.js';
import { hasAssertion, noPartialTests, noSleep } from './test-rules.js';
import { fileNames, forbiddenWords, headerComment, unfinished } from './text-rules.js';

/** `bad` is found and its report matches; `good` is not. */
function plant(rule: Rule, path: string, bad: string, report: RegExp, good: string): void {
  assert.match(
    check([{ path, text: bad }], rule).join('\n'),
    report,
    `planted: ${bad.slice(0, 80)}`,
  );
  assert.deepEqual(check([{ path, text: good }], rule), []);
}

const repeat = (line: string, count: number): string => `${line}\n`.repeat(count);

test('length of files', () => {
  plant(fileLength, 'src/a.ts', repeat('a;', 401), /401 lines, at most 400/, repeat('a;', 400));
  plant(fileLength, 'native-bindings/src/a.cc', repeat('a;', 351), /350/, repeat('a;', 350));
  plant(fileLength, 'README.md', repeat('a', 151), /at most 150/, repeat('a', 150));
});

test('length of lines', () => {
  const line = 'a + '.repeat(25);
  plant(lineLength, 'src/a.ts', `${line}b`, /a.ts:1: 101 characters/, line);
  plant(lineLength, 'src/a.ts', `\n${line}b`, /:2:/, `const text = '${'long '.repeat(20)}';`);
});

test('length of functions', () => {
  const body = (lines: number): string => `function f() {\n${repeat('a();', lines - 2)}}`;
  plant(functionLength, 'src/a.ts', body(81), /a function of 81 lines/, body(80));
  const inner = `test('x', () => {\n${repeat('a();', 90)}});`;
  plant(functionLength, 'src/a.ts', inner, /92 lines/, `describe('x', () => {\n${body(80)}\n});`);
});

test('imports by folder', () => {
  const cases: [string, string, RegExp][] = [
    ['core/a.ts', "import { x } from '../io/ports.js';", /core\/ may not import io\//],
    ['core/a.ts', "import type { X } from '../errors.js';", /core\/ may not import errors/],
    ['core/a.ts', "import { join } from 'node:path';", /core\/ is pure/],
    ['primary/a.ts', "import * as fs from 'node:fs';", /node:fs belongs in io\//],
    ['primary/a.ts', "export * from '../secondary/b.js';", /may not import secondary\//],
    ['wire/a.ts', "const x = await import('node:net');", /node:net belongs in io\//],
    ['io/a.ts', "import fuse from 'fuse-native';", /may not import the package fuse-native/],
    ['node/a.ts', 'const x = setTimeout(() => 1, 5);', /setTimeout outside io\//],
    ['node/a.ts', 'const now = Date.now();', /Date.now outside io\//],
    ['resync/a.ts', 'const now = new Date();', /new Date outside io\//],
    ['helpers/a.ts', 'export {};', /the folder helpers\/ is not in FOLDERS/],
    ['io/a.ts', "import { x } from '../../test/b.js';", /from outside src\//],
    ['limits.ts', "import { x } from './core/types.js';", /directly in src\/ imports/],
    ['resync/hash-pool.ts', "import * as net from 'node:net';", /node:net belongs in io\//],
  ];
  for (const [name, text, report] of cases) {
    const good = "import { assert } from '../assert.js'; // setTimeout() in a comment";
    const ok = name === 'limits.ts' ? "import { assert } from './assert.js';" : good;
    if (name.startsWith('helpers')) {
      assert.match(check([{ path: `src/${name}`, text }], importRules).join(), report);
    } else plant(importRules, `src/${name}`, text, report, ok);
  }
  plant(
    importRules,
    'src/resync/hash-worker.ts',
    "import * as tls from 'node:tls';",
    /node:tls/,
    "import * as fs from 'node:fs';",
  );
});

test('headers and names', () => {
  plant(headerComment, 'src/a.ts', 'export {};', /no header/, '/** What it is. */\nexport {};');
  plant(headerComment, 'a/b.cc', '#include <x>', /no header/, '// What it is.\n#include <x>');
  plant(headerComment, 'a.mjs', '#!/usr/bin/env node\nx;', /no header/, '#!/x\n/** What. */');
  const names = (path: string): string => check([{ path, text: '' }], fileNames).join();
  assert.match(names('src/core/ack_policy.ts') + names('src/core/ackPolicy.ts'), /not kebab-case/);
  assert.match(names('src/Core/ack.ts'), /not kebab-case/);
  assert.match(names('src/core/deep/ack.ts'), /deeper/);
  assert.equal(names('src/core/ack-policy.ts') + names('.ci/run') + names('docs/a-b.md'), '');
});

test('words', () => {
  const split = (...pieces: string[]): string => pieces.join('');
  plant(forbiddenWords, 'a.md', split('in /wo', 'rk/main'), /path of one/, 'in work/main');
  plant(forbiddenWords, 'a.json', split('registry.np', 'mjs.org'), /registry host/, 'a registry');
  plant(forbiddenWords, 'a.ts', split('see is', 'sue #12'), /tracker/, 'an open question');
  plant(unfinished, 'a.ts', split('// TO', 'DO: later'), /unfinished/, '// what to do later');
});

test('tests', () => {
  const path = 'test/unit/a.test.ts';
  plant(hasAssertion, path, "test('x', () => run());", /can fail/, 'assert.equal(1, 1);');
  plant(noPartialTests, path, "test.only('x', f)", /alone/, "test('x', f)");
  plant(noPartialTests, path, "test('x', { todo: true }, f)", /not at all/, "test('x', {}, f)");
  plant(noSleep, path, 'await delay(500);', /sleeps/, "await waitFor('x', f);");
});

test('documents', () => {
  const read = (path: string): string | null => (path === 'docs/b.md' ? '# A Title, b' : null);
  const link = linksResolve(read);
  plant(link, 'docs/a.md', '[x](c.md)', /no such file: docs\/c.md/, '[x](b.md)');
  plant(link, 'docs/a.md', '[x](b.md#c)', /no heading "#c"/, '[x](b.md#a-title-b)');
  plant(link, 'README.md', '[x](#nowhere)', /no heading/, '[x](https://example.org)');
  plant(mentionsExist(read), 'src/a.ts', '// see docs/c.md', /no such page/, '// docs/b.md');
  plant(
    scriptsExist(['demo']),
    'README.md',
    'npm run dmeo',
    /no npm script "dmeo"/,
    'npm run demo',
  );
});
