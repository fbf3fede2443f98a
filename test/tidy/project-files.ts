/** The files that the tidy rules look at: all that git tracks or would track, as text. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '../helpers/paths.js';

export interface ProjectFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  /** From 1; 0 means the file as a whole. */
  readonly line: number;
  readonly what: string;
}

export type Rule = (file: ProjectFile) => Violation[];

/** Written by "npm run gen". */
const GENERATED = /^src\/wire\/twinfs\.pb\.(js|d\.ts)$/;
const BINARY = /\.(png|jpg|gif|ico|pdf|gz|zip)$/;

export const isGenerated = (path: string): boolean => GENERATED.test(path);
export const isTypeScript = (path: string): boolean => path.endsWith('.ts') && !isGenerated(path);
export const isNative = (path: string): boolean => /\.(cc|h)$/.test(path);
export const isScript = (path: string): boolean => /\.(mjs|sh)$/.test(path) || path === '.ci/run';
export const isMarkdown = (path: string): boolean => path.endsWith('.md');

export function projectFiles(): ProjectFile[] {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { status, stdout, stderr } = spawnSync('git', ['-C', repoRoot, ...list], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`);
  return stdout
    .split('\0')
    .filter((path) => path !== '' && !BINARY.test(path) && fs.existsSync(join(repoRoot, path)))
    .map((path) => ({ path, text: fs.readFileSync(join(repoRoot, path), 'utf8') }));
}

/** Holds planted violations as text. */
export const isPlanted = (path: string): boolean => path === 'test/tidy/rules.test.ts';

export const check = (files: readonly ProjectFile[], ...rules: readonly Rule[]): string[] =>
  files
    .flatMap((file) => rules.flatMap((rule) => rule(file)))
    .map(({ path, line, what }) => `${path}${line > 0 ? `:${line}` : ''}: ${what}`);
