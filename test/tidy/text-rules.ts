/** Headers, names of files, words that do not belong in the project, unfinished work. */
import { basename } from 'node:path/posix';
import { isGenerated, isMarkdown, isNative, isScript, isTypeScript } from './project-files.js';
import type { ProjectFile, Violation } from './project-files.js';

/** Every file of code begins by saying what it is for; a test's names say it. */
export function headerComment({ path, text }: ProjectFile): Violation[] {
  if (path.endsWith('.test.ts')) return [];
  const isCode = isTypeScript(path) || isNative(path) || isScript(path) || path.endsWith('.proto');
  if (!isCode) return [];
  const body = text.replace(/^#!.*\n/, '').trimStart();
  const starts = path.endsWith('.sh') || path === '.ci/run' ? /^# \w/ : /^(\/\*\*?\s|\/\/ )/;
  return starts.test(body) ? [] : [{ path, line: 1, what: 'no header comment' }];
}

/** C++ files have underscores, as the style they follow has. */
const SNAKE = /^[a-z0-9]+(_[a-z0-9]+)*\.(cc|h)$/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;
const NAMED_BY_OTHERS = ['README.md', 'LICENSE', 'CHANGELOG.md'];
const DEPTH_MAX = 2;

/** kebab-case everywhere, and at most src/folder/file. */
export function fileNames({ path }: ProjectFile): Violation[] {
  const violations: Violation[] = [];
  const parts = path.split('/').filter((part) => !part.startsWith('.'));
  const odd = parts.find((part) => ![KEBAB, SNAKE].some((shape) => shape.test(part)));
  const isFree = NAMED_BY_OTHERS.includes(basename(path));
  if (odd !== undefined && !isFree && !path.startsWith('src/share/')) {
    violations.push({ path, line: 0, what: `"${odd}" is not kebab-case` });
  }
  const isDeep = path.startsWith('src/') && path.split('/').length - 1 > DEPTH_MAX;
  if (isDeep && isTypeScript(path)) {
    violations.push({ path, line: 0, what: `deeper than src/folder/${basename(path)}` });
  }
  return violations;
}

/** In pieces, so that this file does not break its own rule. */
const word = (...pieces: readonly string[]): string => pieces.join('');
const FORBIDDEN: readonly [RegExp, string][] = [
  [new RegExp(word('/(wo', 'rk|fa', 'rm)/(main|shared|in|steering|\\.)')), 'a path of one machine'],
  [new RegExp(word('/ro', 'ot/|/ho', 'me/[a-z]')), 'a path of one machine'],
  [
    new RegExp(word('registry\\.np', 'mjs|deb\\.deb', 'ian\\.org|py', 'pi\\.org')),
    'a registry host',
  ],
  [new RegExp(word('\\b(sub', 'agent|CE', 'O)\\b')), 'a word from outside the project'],
  [new RegExp(word('\\bis', 'sue #?\\d')), 'a number of a tracker'],
];
const UNFINISHED = new RegExp(
  `\\b(${['TO', 'FIX', 'XX', 'HA'].map((head, index) => head + ['DO', 'ME', 'X', 'CK'][index]).join('|')})\\b`,
);

export function forbiddenWords({ path, text }: ProjectFile): Violation[] {
  return text.split('\n').flatMap((content, index) =>
    FORBIDDEN.filter(([pattern]) => pattern.test(content)).map(([pattern, why]) => ({
      path,
      line: index + 1,
      what: `${why}: ${pattern.exec(content)?.[0] ?? ''}`,
    })),
  );
}

/** What is not done is not in the tree. */
export function unfinished({ path, text }: ProjectFile): Violation[] {
  if (isGenerated(path) || path === 'package-lock.json' || isMarkdown(path)) return [];
  return text
    .split('\n')
    .flatMap((content, index) =>
      UNFINISHED.test(content)
        ? [{ path, line: index + 1, what: 'a note of unfinished work' }]
        : [],
    );
}
