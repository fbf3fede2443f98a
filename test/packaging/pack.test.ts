/**
 * The package as a user gets it: packed, installed into an empty folder elsewhere, run there; and
 * what it says on a machine for which it brings no addon.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { EXIT } from '../../src/errors.js';
import { repoRoot } from '../helpers/paths.js';
import { longOnly, missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';

const INSTALL_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 600_000;
const PACKED_BYTES_MAX = 8 * 1024 * 1024;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string, timeout = 60_000): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout });
  return { status, stdout, stderr };
}

function must(command: string, args: readonly string[], cwd: string, timeout?: number): string {
  const { status, stdout, stderr } = run(command, args, cwd, timeout);
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** `npm pack` of this build; --ignore-scripts because it is built already. */
function pack(into: string): Packed {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', into];
  const [packed] = JSON.parse(must('npm', args, repoRoot)) as Packed[];
  assert.ok(packed !== undefined);
  return packed;
}

/** Installs the tarball into an empty folder; returns where the package lies there. */
function install(t: Cleanup): { folder: string; installed: string } {
  const folder = tempDir(t, 'install');
  const { filename } = pack(folder);
  fs.writeFileSync(join(folder, 'package.json'), '{ "name": "elsewhere", "private": true }');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, filename)];
  must('npm', args, folder, INSTALL_TIMEOUT_MS);
  return { folder, installed: join(folder, 'node_modules/twinfs') };
}

test('the package holds what it needs and nothing else', (t) => {
  const { files, size } = pack(tempDir(t));
  const paths = files.map(({ path }) => path);
  for (const needed of [
    'LICENSE',
    'README.md',
    'dist/src/cli/main.js',
    'native-bindings/binding.gyp',
    'native-bindings/build.mjs',
    'native-bindings/src/addon.cc',
    'native-bindings/build/Release/twinfs.node',
  ]) {
    assert.ok(paths.includes(needed), `${needed} is missing`);
  }
  const share = fs.readdirSync(join(repoRoot, 'src/share'), { recursive: true, encoding: 'utf8' });
  for (const name of share.filter((entry) => /\.\w+$/.test(entry))) {
    assert.ok(paths.includes(`src/share/${name}`), `src/share/${name} is missing`);
  }
  const stray = /^(dist\/(?!src\/)|src\/(?!share\/)|test\/|bench\/|\.ci\/|node_modules\/)/;
  assert.deepEqual(
    paths.filter((path) => stray.test(path)),
    [],
  );
  assert.ok(size < PACKED_BYTES_MAX, `${size} bytes`);
});

const loadAddon = (installed: string): Ran => {
  const module = JSON.stringify(join(installed, 'dist/src/io/native.js'));
  const script = `const { native } = await import(${module}); console.log(typeof native().Session);`;
  return run(process.execPath, ['--input-type=module', '-e', script], installed);
};

const mountNeeds = missing({ fuse: true });

test(
  'installed elsewhere it runs; without addon it names the command',
  { skip: mountNeeds },
  (t) => {
    const { folder, installed } = install(t);
    const twinfs = join(folder, 'node_modules/.bin/twinfs');
    assert.match(must(twinfs, ['version'], folder), /^twinfs \d+\.\d+\.\d+/);
    assert.match(must('npx', ['twinfs', '--help'], folder), /Commands:[^]*twinfs mount/);
    assert.equal(loadAddon(installed).stdout.trim(), 'function');

    fs.rmSync(join(installed, 'native-bindings/build'), { recursive: true });
    const { status, stderr } = loadAddon(installed);
    assert.notEqual(status, 0);
    const command = /node (\S*native-bindings\/build\.mjs)/.exec(stderr);
    assert.ok(command?.[1] !== undefined, stderr);
    assert.ok(fs.existsSync(command[1]), `${command[1]} is not there`);

    const directory = join(folder, 'data');
    fs.mkdirSync(directory);
    const state = ['--state', join(folder, 'state'), '--log', join(folder, 'log')];
    const mount = run(twinfs, ['mount', directory, ...state], folder);
    assert.equal(mount.status, EXIT.noFuse, mount.stderr);
    assert.match(mount.stderr, /native-bindings\/build\.mjs/);
  },
);

const buildNeeds = longOnly({ commands: ['g++', 'make', 'python3'] });

test('that command builds the addon where only npm is installed', { skip: buildNeeds }, (t) => {
  const { folder, installed } = install(t);
  fs.rmSync(join(installed, 'native-bindings/build'), { recursive: true });
  const build = [join(installed, 'native-bindings/build.mjs')];
  must(process.execPath, build, folder, BUILD_TIMEOUT_MS);
  assert.equal(loadAddon(installed).stdout.trim(), 'function');
});
