#!/usr/bin/env node
/**
 * The static checks: `node .ci/check.mjs [types|lint|format|gen …]`, all of them without arguments.
 * Prints one line for each and exits 1 when one failed. `npm test` runs them too (test/run.ts).
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');

const CHECKS = {
  types: [join(modules, 'typescript/bin/tsc'), '-p', root, '--noEmit', '--incremental', 'false'],
  lint: [join(modules, 'eslint/bin/eslint.js'), '--max-warnings', '0', '.'],
  format: [join(modules, 'prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  gen: [join(root, '.ci/gen.mjs'), '--check'],
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
let failed = 0;
for (const name of names) {
  const command = CHECKS[name];
  if (command === undefined) {
    process.stderr.write(`check: unknown "${name}"; one of: ${Object.keys(CHECKS).join(', ')}\n`);
    process.exit(2);
  }
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}\n`);
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
