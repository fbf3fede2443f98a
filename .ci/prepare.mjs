#!/usr/bin/env node
/**
 * Makes a fresh clone ready: `node .ci/prepare.mjs build|demo|test|long`. Uses Node's own modules
 * only, because there may be no node_modules yet. Each step is skipped when there is nothing to do,
 * so that a second call takes no time. What cannot be done here (no root, no apt) is said with the
 * command that does it, and the rest goes on.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const STEPS = ['build', 'demo', 'test', 'long'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const say = (text) => process.stderr.write(`prepare: ${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

function requirePlatform() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR_MIN) {
    fail(`twinfs needs Node.js ${NODE_MAJOR_MIN} or later; this is ${process.version}`);
  }
  if (process.platform !== 'linux') fail(`twinfs runs on Linux only; this is ${process.platform}`);
}

const packagesOf = (file) => JSON.parse(fs.readFileSync(file, 'utf8')).packages;

/** node_modules holds exactly the versions of the lock file (optional ones may be missing). */
function areModulesCurrent() {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!fs.existsSync(installedFile)) return false;
  const installed = packagesOf(installedFile);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(
    ([path, entry]) =>
      path === '' ||
      (entry.optional === true && installed[path] === undefined) ||
      (installed[path]?.version === entry.version && fs.existsSync(join(root, path))),
  );
}

function installModules() {
  if (areModulesCurrent()) return;
  say('installing node modules (npm ci) …');
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) fail('"npm ci" failed; its message is above');
}

async function installSystemPackages(step) {
  const system = await import('./system-packages.mjs');
  const missing = system.missingPackages(step);
  if (missing.length === 0) return;
  const command = system.installCommand(missing);
  if (!system.canInstall()) {
    say(`NOT INSTALLED: ${missing.join(' ')}. What needs them is skipped. To install: ${command}`);
    return;
  }
  say(`installing Debian packages: ${missing.join(' ')} (no service is started) …`);
  if (!system.installPackages(missing)) say(`could not install all of them. By hand: ${command}`);
}

/** Loads the kernel's FUSE module where it is not built in; harmless where it is. */
function loadFuse() {
  if (fs.existsSync('/dev/fuse') || process.getuid?.() !== 0) return;
  spawnSync('modprobe', ['fuse'], { stdio: 'ignore' });
}

async function build(step) {
  const { buildTypeScript, buildNative, NO_TOOLS } = await import('./build.mjs');
  if (buildTypeScript() !== 0) fail('the TypeScript build failed; its message is above');
  const status = buildNative();
  const mayGoOn = ['test', 'long'].includes(step) && process.env.TWINFS_STRICT !== '1';
  if (status === NO_TOOLS && mayGoOn) {
    say('NO NATIVE ADDON: every test that needs it is skipped');
  } else if (status !== 0) {
    fail('the native addon was not built; the reason is above');
  }
}

const step = process.argv[2] ?? 'build';
if (!STEPS.includes(step)) fail(`unknown step "${step}"; one of: ${STEPS.join(', ')}`);
requirePlatform();
await installSystemPackages(step);
installModules();
if (step !== 'build') loadFuse();
await build(step);
