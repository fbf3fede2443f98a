/**
 * How long files, lines and functions may be. What grows past these does two things and becomes
 * two.
 */
import ts from 'typescript';
import { isGenerated, isMarkdown, isNative, isScript, isTypeScript } from './project-files.js';
import type { ProjectFile, Violation } from './project-files.js';

const FILE_LINES_MAX: readonly [(path: string) => boolean, number][] = [
  [(path) => path === 'README.md', 150],
  [(path) => path === 'docs/architecture.md', 400],
  [(path) => isTypeScript(path) || isScript(path), 400],
  [isNative, 350],
];
export const LINE_CHARACTERS_MAX = 100;
export const FUNCTION_LINES_MAX = 80;
/** Columns set apart by spaces in a comment are a table. */
const TABLE_ROW = /^\s*(\*|\/\/)(.*\S {3,}\S| {10,})/;
/** A literal this long cannot be broken without harm to whoever searches for the message. */
const LONG_LITERAL = /['"`].{60,}/;

export function fileLength({ path, text }: ProjectFile): Violation[] {
  const limit = FILE_LINES_MAX.find(([matches]) => matches(path))?.[1];
  const lines = text.trimEnd().split('\n').length;
  if (limit === undefined || lines <= limit) return [];
  return [{ path, line: 0, what: `${lines} lines, at most ${limit}` }];
}

export function lineLength({ path, text }: ProjectFile): Violation[] {
  const isChecked =
    isTypeScript(path) || isNative(path) || isScript(path) || path.endsWith('.proto');
  if (!isChecked || isGenerated(path) || isMarkdown(path)) return [];
  return text.split('\n').flatMap((content, index) => {
    const length = [...content].length;
    if (length <= LINE_CHARACTERS_MAX || LONG_LITERAL.test(content) || TABLE_ROW.test(content)) {
      return [];
    }
    return [
      { path, line: index + 1, what: `${length} characters, at most ${LINE_CHARACTERS_MAX}` },
    ];
  });
}

/** Blocks that only hold tests are lists, not functions. */
const isTestBlock = (node: ts.Node): boolean =>
  ts.isCallExpression(node.parent) && /^(describe|suite)\b/.test(node.parent.expression.getText());

export function functionLength({ path, text }: ProjectFile): Violation[] {
  if (!isTypeScript(path)) return [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const violations: Violation[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && !isTestBlock(node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.end).line;
      const lines = last - first + 1;
      if (lines > FUNCTION_LINES_MAX) {
        const what = `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}`;
        violations.push({ path, line: first + 1, what });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return violations;
}
