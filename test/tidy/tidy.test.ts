/** The countable part of the project's style, applied to every file of the tree. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { repoRoot } from '../helpers/paths.js';
import { linksResolve, mentionsExist, readProject, scriptsExist } from './docs-rules.js';
import { EXCEPTIONS, importRules, usesOf } from './import-rules.js';
import { check, projectFiles } from './project-files.js';
import { fileLength, functionLength, lineLength } from './size-rules.js';
import { hasAssertion, noPartialTests, noSleep } from './test-rules.js';
import { fileNames, forbiddenWords, headerComment, unfinished } from './text-rules.js';

const files = projectFiles();
const manifest = JSON.parse(fs.readFileSync(join(repoRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const SCRIPTS_MAX = 15;
/** Scripts that run on the user's machine when the package is installed. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** All of them, which assert's own message would cut. */
function none(violations: readonly string[]): void {
  if (violations.length > 0) {
    assert.fail(`${violations.length} violations:\n${violations.join('\n')}`);
  }
}

test('the tree is there', () => {
  assert.ok(files.length > 50, `${files.length} files`);
});

test('files, lines and functions are short', () => {
  none(check(files, fileLength, lineLength, functionLength));
});

test('each folder imports only what it may', () => {
  none(check(files, importRules));
});

test('every exception to the import rules is still needed by a file that exists', () => {
  for (const [path, { uses }] of Object.entries(EXCEPTIONS)) {
    const text = files.find((file) => file.path === path)?.text ?? '';
    for (const use of usesOf(uses)) assert.ok(text.includes(use), `${path} uses no ${use}`);
  }
});

test('headers, names and words', () => {
  none(check(files, headerComment, fileNames, forbiddenWords, unfinished));
});

test('tests can fail, are complete and do not sleep', () => {
  none(check(files, hasAssertion, noPartialTests, noSleep));
});

test('documents keep their word', () => {
  const scripts = Object.keys(manifest.scripts);
  none(check(files, linksResolve(readProject), mentionsExist(readProject), scriptsExist(scripts)));
});

test('npm scripts are few, and none runs at installation', () => {
  const scripts = Object.keys(manifest.scripts);
  assert.ok(scripts.length <= SCRIPTS_MAX, `${scripts.length} scripts`);
  assert.deepEqual(
    scripts.filter((name) => INSTALL_SCRIPTS.includes(name)),
    [],
  );
  // npm runs node-gyp by itself where it finds this file in the package's root.
  assert.equal(fs.existsSync(join(repoRoot, 'binding.gyp')), false);
});
