#!/usr/bin/env node
/**
 * Builds the native addon: `npm run build:native`, in a clone and in an installed package alike, so
 * it uses Node's own modules only. Does nothing when the addon was already built from these very
 * sources for this Node (a stamp beside it says so); `--force` builds all the same.
 *
 * node-gyp comes from node_modules where there is one, else from npm itself. Node's headers come
 * from where Node is installed when they are there, else node-gyp fetches them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const addon = join(here, 'build/Release/twinfs.node');
const stampFile = join(here, 'build/.stamp');

/** Exit status where there is no compiler; every other failure is 1. */
const NO_TOOLS = 3;

function fail(message, status = 1) {
  process.stderr.write(`build:native: ${message}\n`);
  process.exit(status);
}

/** What the addon depends on, as one hash. */
function fingerprint() {
  const hash = createHash('sha256');
  hash.update(`${process.version} ${process.arch} ${addonApiVersion()}\n`);
  for (const name of [
    'binding.gyp',
    ...readdirSync(join(here, 'src'))
      .sort()
      .map((n) => `src/${n}`),
  ]) {
    hash.update(`${name}\n`).update(readFileSync(join(here, name)));
  }
  return hash.digest('hex');
}

function addonApiVersion() {
  try {
    return createRequire(import.meta.url)('node-addon-api/package.json').version;
  } catch {
    return fail('node-addon-api is missing; run "npm install" in the twinfs package first');
  }
}

const isTool = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

function requireTools() {
  const missing = [
    [process.env.CXX ?? 'g++', 'g++'],
    ['make', 'make'],
    ['python3', 'python3'],
  ].filter(([command]) => !isTool(command));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(' ');
  const command = `sudo apt-get install -y ${packages}`;
  fail(`cannot build without: ${packages}. On Debian: ${command}`, NO_TOOLS);
}

/** node-gyp's script: our own, npm's own, or null. */
function findNodeGyp() {
  const candidates = [];
  try {
    candidates.push(createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js'));
  } catch {
    // Not a clone: an installed package has no development dependencies.
  }
  const npm = process.env.npm_execpath;
  if (npm) candidates.push(join(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js'));
  const prefix = join(dirname(realpathSync(process.execPath)), '..');
  for (const lib of ['lib/node_modules', 'share/nodejs']) {
    candidates.push(join(prefix, lib, 'npm/node_modules/node-gyp/bin/node-gyp.js'));
    candidates.push(join(prefix, lib, 'node-gyp/bin/node-gyp.js'));
  }
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** `--nodedir` for the headers of exactly this Node, or nothing: then node-gyp decides. */
function headerArguments() {
  if (process.env.npm_config_nodedir) return [`--nodedir=${process.env.npm_config_nodedir}`];
  const [major, minor] = process.versions.node.split('.');
  for (const prefix of [
    join(dirname(realpathSync(process.execPath)), '..'),
    '/usr',
    '/usr/local',
  ]) {
    const file = join(prefix, 'include/node/node_version.h');
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const isOurs = (name, value) => new RegExp(`#define ${name} ${value}\\b`).test(text);
    if (isOurs('NODE_MAJOR_VERSION', major) && isOurs('NODE_MINOR_VERSION', minor)) {
      return [`--nodedir=${prefix}`];
    }
  }
  return [];
}

function build() {
  const nodeGyp = findNodeGyp();
  if (nodeGyp === null) fail('node-gyp was not found; run "npm install --no-save node-gyp" first');
  const command = [
    nodeGyp,
    'configure',
    'build',
    '--jobs=2',
    '--loglevel=warn',
    ...headerArguments(),
  ];
  // The lock on the directory keeps two builds (a test run and a demo, say) from writing into each
  // other.
  const locked = isTool('flock');
  // Standard output belongs to what comes after the build: a demo, a test report.
  const options = { cwd: here, stdio: ['ignore', 2, 2] };
  const result = locked
    ? spawnSync('flock', [here, process.execPath, ...command], options)
    : spawnSync(process.execPath, command, options);
  if (result.status !== 0 || !existsSync(addon)) fail('the compiler failed; its message is above');
}

const wanted = fingerprint();
const built = existsSync(addon) && existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
if (built !== wanted || process.argv.includes('--force')) {
  requireTools();
  build();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
}
