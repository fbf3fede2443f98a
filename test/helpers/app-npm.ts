/** What is done with npm: this package's own modules, and a package whose addon is compiled. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './application.js';
import { repoRoot } from './paths.js';

const INSTALL_TIMEOUT_MS = 600_000;
const BUILD_TIMEOUT_MS = 1_800_000;
const NATIVE_PACKAGE = 'better-sqlite3@12';

/** Node's headers where Node itself is installed; node-gyp fetches them where they are not. */
function headers(): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(process.execPath));
  const isThere = fs.existsSync(join(prefix, 'include/node/node.h'));
  return isThere ? { npm_config_nodedir: prefix } : {};
}

const npm = (cwd: string, timeoutMs: number, ...args: string[]): Promise<string> =>
  run('npm', [...args, '--no-audit', '--no-fund'], { cwd, timeoutMs, env: headers() });

/** `npm ci` of this package, and a program of it runs. Gives the number of packages. */
export async function npmCi(project: string): Promise<number> {
  fs.mkdirSync(project);
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'tsconfig.json']) {
    const from = join(repoRoot, name);
    if (fs.existsSync(from)) fs.copyFileSync(from, join(project, name));
  }
  await npm(project, INSTALL_TIMEOUT_MS, 'ci');
  assert.match(await run('node_modules/.bin/tsc', ['--version'], { cwd: project }), /^Version/);
  await npm(project, INSTALL_TIMEOUT_MS, 'ls', '--all');
  const lock = fs.readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8');
  return Object.keys((JSON.parse(lock) as { packages: object }).packages).length;
}

const QUERY = `
const Database = require('better-sqlite3');
const db = new Database('query.db');
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE t (n INT)');
const insert = db.prepare('INSERT INTO t VALUES (?)');
for (let n = 1; n <= 100; n += 1) insert.run(n);
console.log(db.prepare('SELECT sum(n) AS sum FROM t').get().sum);
db.close();
`;

/** Compiles the addon of the package on the mirror and uses it there. Gives its version. */
export async function nativeBuild(project: string): Promise<string> {
  fs.mkdirSync(project);
  fs.writeFileSync(join(project, 'package.json'), '{"name":"project","private":true}');
  await npm(project, BUILD_TIMEOUT_MS, 'install', NATIVE_PACKAGE, '--build-from-source');
  const folder = join(project, 'node_modules/better-sqlite3');
  // Objects of the compiler: nothing ready-made was fetched instead.
  assert.ok(fs.existsSync(join(folder, 'build/Release/obj.target')), 'it was not compiled here');
  assert.equal(await run(process.execPath, ['-e', QUERY], { cwd: project }), '5050\n');
  const description = fs.readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}
