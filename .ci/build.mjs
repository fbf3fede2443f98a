#!/usr/bin/env node
/**
 * Compiles the TypeScript to dist/, carries over what the compiler does not (generated modules),
 * removes output whose source is gone, and builds the addon. Skips what did not change: a stamp
 * below dist/ holds a hash of every source. Needs node_modules (prepare.mjs sees to that).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampFile = join(root, 'dist/.stamp');
const SOURCES = ['src', 'test', 'bench'];

const files = (folder) =>
  fs.existsSync(folder)
    ? fs
        .readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort()
    : [];

function fingerprint(sources) {
  const hash = createHash('sha256').update(process.version);
  for (const file of [
    ...sources,
    ...['tsconfig.json', 'package-lock.json'].map((n) => join(root, n)),
  ]) {
    hash.update(`${relative(root, file)}\n`).update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** Output of a source that was removed or renamed: a deleted test would otherwise go on running. */
function removeOrphans() {
  for (const file of SOURCES.flatMap((folder) => files(join(root, 'dist', folder)))) {
    const source = join(root, relative(join(root, 'dist'), file));
    const stem = source.replace(/\.(js|js\.map|d\.ts)$/, '');
    if (![source, `${stem}.ts`, `${stem}.js`].some((path) => fs.existsSync(path))) fs.rmSync(file);
  }
}

/** Generated JavaScript and its declarations are sources that tsc only reads. */
function copyPlainModules(sources) {
  for (const file of sources.filter((name) => /\.(js|cjs|mjs)$/.test(name))) {
    const target = join(root, 'dist', relative(root, file));
    fs.mkdirSync(dirname(target), { recursive: true });
    fs.copyFileSync(file, target);
  }
}

export function buildTypeScript() {
  const sources = SOURCES.flatMap((folder) => files(join(root, folder)));
  const wanted = fingerprint(sources);
  const isBuilt = fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === wanted;
  if (isBuilt) return 0;
  const status = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root]);
  removeOrphans();
  copyPlainModules(sources);
  const main = join(root, 'dist/src/cli/main.js');
  if (fs.existsSync(main)) fs.chmodSync(main, 0o755);
  if (status === 0) fs.writeFileSync(stampFile, wanted);
  return status;
}

/** What build.mjs of the addon exits with where there is no compiler. */
export const NO_TOOLS = 3;

export const buildNative = (extra = []) =>
  run(process.execPath, [join(root, 'native-bindings/build.mjs'), ...extra]);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exit(buildTypeScript() || buildNative());
}
