/**
 * The Debian packages that building, the demo and the tests need, how to see whether each is there,
 * and their installation (as root). A server package is kept from starting anything: policy-rc.d
 * says no while apt runs, and a database cluster that the installation itself made is dropped
 * again.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { delimiter, join } from 'node:path';

const POLICY = '/usr/sbin/policy-rc.d';
const POSTGRESQL = '/usr/lib/postgresql';
const POSTGRESQL_DATA = '/var/lib/postgresql';

const onPath = (name) =>
  `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
    .split(delimiter)
    .some((folder) => folder !== '' && fs.existsSync(join(folder, name)));

const hasPostgres = () =>
  fs.existsSync(POSTGRESQL) &&
  fs
    .readdirSync(POSTGRESQL)
    .some((version) =>
      ['initdb', 'postgres', 'pgbench', 'pg_amcheck'].every((name) =>
        fs.existsSync(join(POSTGRESQL, version, 'bin', name)),
      ),
    );

const hasLibrary = (name) =>
  ['/lib', '/usr/lib', '/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/local/lib'].some(
    (folder) => fs.existsSync(join(folder, name)),
  );

/** `for`: the steps that need it. */
const PACKAGES = [
  { name: 'g++', for: ['build', 'demo', 'test', 'long'], isThere: () => onPath('g++') },
  { name: 'make', for: ['build', 'demo', 'test', 'long'], isThere: () => onPath('make') },
  { name: 'python3', for: ['build', 'demo', 'test', 'long'], isThere: () => onPath('python3') },
  { name: 'git', for: ['demo', 'test', 'long'], isThere: () => onPath('git') },
  { name: 'sqlite3', for: ['demo', 'test', 'long'], isThere: () => onPath('sqlite3') },
  { name: 'postgresql-15', for: ['demo', 'test', 'long'], isThere: hasPostgres },
  { name: 'libfuse2', for: ['test', 'long'], isThere: () => hasLibrary('libfuse.so.2') },
  { name: 'attr', for: ['test', 'long'], isThere: () => onPath('getfattr') },
  { name: 'acl', for: ['test', 'long'], isThere: () => onPath('setfacl') },
  { name: 'rsync', for: ['test', 'long'], isThere: () => onPath('rsync') },
  { name: 'mariadb-server', for: ['long'], isThere: () => onPath('mariadbd') },
  { name: 'sysbench', for: ['long'], isThere: () => onPath('sysbench') },
];

export const missingPackages = (step) =>
  PACKAGES.filter((entry) => entry.for.includes(step) && !entry.isThere()).map(({ name }) => name);

export const installCommand = (names) => `sudo apt-get install -y ${names.join(' ')}`;

export const canInstall = () =>
  process.getuid?.() === 0 && onPath('apt-get') && !process.env.TWINFS_NO_INSTALL;

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Its talk goes to standard error: standard output belongs to what comes after (a demo, a
  // report).
  return spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 2, 2], env }).status === 0;
}

/** Runs `action` while no package can start a service; what was there before is put back. */
function withoutServiceStarts(action) {
  const saved = `${POLICY}.twinfs-saved`;
  const hadPolicy = fs.existsSync(POLICY);
  if (hadPolicy && !fs.existsSync(saved)) fs.renameSync(POLICY, saved);
  fs.writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const restore = () => {
    if (fs.existsSync(saved)) fs.renameSync(saved, POLICY);
    else fs.rmSync(POLICY, { force: true });
  };
  process.once('exit', restore);
  try {
    return action();
  } finally {
    process.removeListener('exit', restore);
    restore();
  }
}

/**
 * A server that came for the tests is no service of this machine: it must not start at the next
 * boot either. The empty cluster that the postgresql package makes goes, unless there was one
 * before.
 */
function retire(names, hadCluster) {
  const servers = { 'postgresql-15': 'postgresql.service', 'mariadb-server': 'mariadb.service' };
  for (const name of names.filter((candidate) => candidate in servers)) {
    spawnSync('systemctl', ['disable', servers[name]], { stdio: 'ignore' });
  }
  if (names.includes('postgresql-15') && !hadCluster) {
    spawnSync('pg_dropcluster', ['15', 'main'], { stdio: 'ignore' });
  }
}

/** True when everything in `names` is installed afterwards. */
export function installPackages(names) {
  const hadCluster = fs.existsSync(join(POSTGRESQL_DATA, '15'));
  const isInstalled = withoutServiceStarts(() => {
    const install = ['install', '-y', '--no-install-recommends', ...names];
    return apt(install) || (apt(['update']) && apt(install));
  });
  retire(names, hadCluster);
  return isInstalled;
}
