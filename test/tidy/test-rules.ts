/** What a test file must be: able to fail, complete, and never asleep. */
import { isPlanted } from './project-files.js';
import type { ProjectFile, Violation } from './project-files.js';

const isTest = (path: string): boolean =>
  path.startsWith('test/') && path.endsWith('.test.ts') && !isPlanted(path);

/** A call that can fail a test: assert…(), fc.assert(), waitFor…() and the like. */
const ASSERTION = /\b(assert\w*(\.\w+)*|fc\.assert|expect\w*|waitFor\w*)\s*(<[^>]*>)?\(/;

export function hasAssertion({ path, text }: ProjectFile): Violation[] {
  if (!isTest(path) || ASSERTION.test(text)) return [];
  return [{ path, line: 0, what: 'nothing in it can fail' }];
}

/** `.only` hides the other tests, `.todo` promises one. */
const PARTIAL = /\b(test|it|describe|suite)\.(only|todo)\(|\{[^}]*\b(only|todo): true/;

export function noPartialTests({ path, text }: ProjectFile): Violation[] {
  return matches(path, text, PARTIAL, 'a test that runs alone, or not at all');
}

/** A fixed sleep: too short on a busy machine, too long on an idle one. */
const SLEEP = /\bawait (delay|sleep|setTimeout)\(|\bsetTimeout\((resolve|done)\b/;

export function noSleep({ path, text }: ProjectFile): Violation[] {
  return matches(path, text, SLEEP, 'sleeps a fixed time; poll with waitFor');
}

function matches(path: string, text: string, pattern: RegExp, what: string): Violation[] {
  if (!isTest(path)) return [];
  return text
    .split('\n')
    .flatMap((content, index) => (pattern.test(content) ? [{ path, line: index + 1, what }] : []));
}
