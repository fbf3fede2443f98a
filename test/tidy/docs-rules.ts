/** Documents keep their word: links lead somewhere, commands exist. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { dirname, normalize } from 'node:path/posix';
import { repoRoot } from '../helpers/paths.js';
import { isMarkdown, isPlanted } from './project-files.js';
import type { ProjectFile, Violation } from './project-files.js';

/** `read` gives a file's text, or null when there is none. */
export type Reader = (path: string) => string | null;

export const readProject: Reader = (path) => {
  const full = join(repoRoot, path);
  if (!fs.existsSync(full)) return null;
  return fs.statSync(full).isFile() ? fs.readFileSync(full, 'utf8') : '';
};

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;

/** The anchors a reader can jump to, made as forges make them. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  );

export const linksResolve =
  (read: Reader) =>
  ({ path, text }: ProjectFile): Violation[] => {
    if (!isMarkdown(path)) return [];
    return lines(text, LINK).flatMap(({ line, groups: [link = ''] }) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      const content = file === '' ? text : read(target);
      if (content === null) return [{ path, line, what: `no such file: ${target}` }];
      const isThere = anchor === undefined || anchorsOf(content).includes(anchor);
      return isThere ? [] : [{ path, line, what: `no heading "#${anchor}" in ${target}` }];
    });
  };

const MENTION = /\b(docs\/[\w/-]+\.md)\b/g;

/** A page that code, help texts or documents send a reader to is there. */
export const mentionsExist =
  (read: Reader) =>
  ({ path, text }: ProjectFile): Violation[] => {
    if (isPlanted(path)) return [];
    return lines(text, MENTION)
      .filter(({ groups: [page = ''] }) => read(page) === null)
      .map(({ line, groups: [page = ''] }) => ({ path, line, what: `no such page: ${page}` }));
  };

const NPM_RUN = /npm run ([a-z][\w:-]*)/g;

export const scriptsExist =
  (scripts: readonly string[]) =>
  ({ path, text }: ProjectFile): Violation[] => {
    if (isPlanted(path)) return [];
    return lines(text, NPM_RUN)
      .filter(({ groups: [name = ''] }) => !scripts.includes(name))
      .map(({ line, groups: [name = ''] }) => ({ path, line, what: `no npm script "${name}"` }));
  };

function lines(text: string, pattern: RegExp): { line: number; groups: string[] }[] {
  return text
    .split('\n')
    .flatMap((content, index) =>
      [...content.matchAll(pattern)].map(([, ...groups]) => ({ line: index + 1, groups })),
    );
}
