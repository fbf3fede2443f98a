/** What the tests do with git; its configuration is ours alone. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { RunOptions } from './application.js';
import { run } from './application.js';

const GIT_ENV = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_TERMINAL_PROMPT: '0',
};

export const git = (
  cwd: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> =>
  run('git', ['-c', 'safe.directory=*', '-c', 'gc.autoDetach=false', ...args], {
    ...options,
    cwd,
    env: GIT_ENV,
  });

/** Writes `count` files, in folders of 20, each different with every `round`. */
export function writeSources(directory: string, count: number, round: number): void {
  for (let index = 0; index < count; index += 1) {
    const folder = join(directory, `part${Math.floor(index / 20)}`);
    fs.mkdirSync(folder, { recursive: true });
    const lines = Array.from({ length: 5 + (index % 40) }, (_, line) => `${index} ${line}`);
    lines.push(`round ${round}`);
    fs.writeFileSync(join(folder, `file${index}.txt`), `${lines.join('\n')}\n`);
  }
}
