import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Config } from '../../../src/config/config.js';
import { parseMountinfo } from '../../../src/config/mounts.js';
import { makeConfig, type StartArguments } from '../../../src/config/parse.js';
import {
  checkDirectories,
  checkMachine,
  checkRunning,
  checkUsers,
  type DirectoryFacts,
} from '../../../src/config/validate.js';

const bytes = (text: string): Buffer => Buffer.from(text);

function config(changes: Partial<StartArguments> & { directory?: Buffer } = {}): Config {
  const directory = changes.directory ?? bytes('/srv/data');
  return makeConfig({
    start: 'mount',
    directory,
    mountpoint: directory,
    stateDir: '/var/lib/twinfs/srv-data',
    logFile: '/var/lib/twinfs/srv-data/twinfs.log',
    logLevel: 'info',
    options: [],
    insecure: false,
    force: false,
    ...changes,
  });
}

const ROOT = '20 1 8:1 / / rw - ext4 /dev/sda1 rw';
const mounts = (...lines: string[]) => parseMountinfo(bytes([ROOT, ...lines].join('\n')));

const facts = (changes: Partial<DirectoryFacts> = {}): DirectoryFacts => ({
  directory: 'directory',
  mountpoint: 'directory',
  mounts: mounts(),
  programPaths: [bytes('/opt/twinfs/main.js')],
  ...changes,
});

describe('making a Config', () => {
  test('defaults, frozen', () => {
    const made = config({ peer: '127.0.0.1:7400' });
    assert.equal(made.mode, 'sync');
    assert.equal(made.engine, 'native');
    assert.deepEqual(made.peer, { host: '127.0.0.1', port: 7400 });
    assert.ok(Object.isFrozen(made) && Object.isFrozen(made.options) && Object.isFrozen(made.peer));
  });

  test('wrong words are usage errors that list the right ones', () => {
    assert.throws(() => config({ mode: 'semisync' }), { exit: 'usage', message: /semi-sync/ });
    assert.throws(() => config({ engine: 'x' }), { exit: 'usage', message: /fuse-native/ });
    assert.throws(() => config({ requirePeer: true }), { exit: 'usage', message: /--peer/ });
  });

  test('both addresses obey the plaintext rule', () => {
    assert.throws(() => config({ peer: 'b:7400' }), { exit: 'insecure' });
    assert.throws(() => config({ listen: '0.0.0.0:7400' }), { exit: 'insecure' });
    assert.equal(config({ peer: 'b:7400', insecure: true }).peer?.host, 'b');
  });
});

describe('checks before a start', () => {
  test('root and /dev/fuse', () => {
    const good = { effectiveUid: 0, hasFuseDevice: true };
    assert.equal(checkMachine(config(), good), null);
    assert.equal(checkMachine(config(), { ...good, effectiveUid: 1000 })?.exit, 'notRoot');
    assert.equal(checkMachine(config(), { ...good, hasFuseDevice: false })?.exit, 'noFuse');
    const serving = config({ start: 'serve' });
    assert.equal(checkMachine(serving, { ...good, hasFuseDevice: false }), null);
  });

  test('a good directory passes', () => {
    assert.equal(checkDirectories(config(), facts()), null);
    const elsewhere = config({ mountpoint: bytes('/mnt/m') });
    assert.equal(checkDirectories(elsewhere, facts()), null);
  });

  const refusal = (made: Config, given: DirectoryFacts) => {
    const error = checkDirectories(made, given);
    return error === null ? null : [error.code, error.exit];
  };

  test('missing, not a directory, dead', () => {
    assert.deepEqual(refusal(config(), facts({ directory: 'missing' })), [
      'dir-missing',
      'badDirectory',
    ]);
    assert.deepEqual(refusal(config(), facts({ directory: 'other' })), [
      'not-a-directory',
      'badDirectory',
    ]);
    assert.deepEqual(refusal(config(), facts({ directory: 'dead' })), [
      'dead-mount',
      'badDirectory',
    ]);
    const elsewhere = config({ mountpoint: bytes('/mnt/m') });
    assert.deepEqual(refusal(elsewhere, facts({ mountpoint: 'missing' })), [
      'dir-missing',
      'badDirectory',
    ]);
  });

  test('inside itself, in every way', () => {
    const cases: [Config, string][] = [
      [config({ stateDir: '/srv/data/.state' }), 'state-inside'],
      [config({ directory: bytes('/'), mountpoint: bytes('/') }), 'state-inside'],
      [config({ directory: bytes('/var/lib/twinfs/srv-data/x') }), 'inside-state'],
      [config({ logFile: '/srv/data/log' }), 'log-inside'],
      [config({ directory: bytes('/opt'), mountpoint: bytes('/opt') }), 'program-inside'],
      [config({ mountpoint: bytes('/srv/data/m') }), 'mountpoint-nested'],
      [config({ mountpoint: bytes('/srv') }), 'mountpoint-nested'],
    ];
    for (const [made, code] of cases) {
      assert.deepEqual(refusal(made, facts()), [code, 'badDirectory']);
    }
  });

  test('mounted already, inside a mirror, another filesystem inside', () => {
    const mirror = mounts('30 20 0:50 / /srv/data rw - fuse.twinfs /srv/data rw');
    assert.deepEqual(refusal(config(), facts({ mounts: mirror })), [
      'already-running',
      'alreadyMounted',
    ]);
    const inside = config({ directory: bytes('/srv/data/x') });
    assert.deepEqual(refusal(inside, facts({ mounts: mirror })), ['inside-mirror', 'badDirectory']);
    const other = mounts('30 20 0:50 / /srv/data/tmp rw - tmpfs tmpfs rw');
    assert.deepEqual(refusal(config(), facts({ mounts: other })), ['mount-inside', 'badDirectory']);
    assert.equal(refusal(config({ force: true }), facts({ mounts: other })), null);
  });

  test('one daemon per directory, state directory and mountpoint', () => {
    const daemon = {
      pid: 4711,
      stateDir: '/state/a',
      directory: bytes('/srv/data'),
      mountpoint: bytes('/mnt/m'),
    };
    const check = (made: Config) => checkRunning(made, [daemon]);
    assert.match(check(config())?.message ?? '', /4711.*status/);
    assert.equal(check(config())?.exit, 'alreadyMounted');
    const sameState = config({ directory: bytes('/srv/b'), stateDir: '/state/a' });
    assert.match(check(sameState)?.message ?? '', /\/state\/a is in use for \/srv\/data.*4711/);
    const samePoint = config({ directory: bytes('/srv/b'), mountpoint: bytes('/mnt/m') });
    assert.match(check(samePoint)?.message ?? '', /\/mnt\/m shows \/srv\/data/);
    assert.equal(check(config({ directory: bytes('/srv/b') })), null);
  });

  test('users are named, a few of them, and --force is the override', () => {
    const users = Array.from({ length: 8 }, (_, index) => ({
      pid: 100 + index,
      command: 'bash',
      how: 'works in' as const,
      path: bytes('/srv/data/x'),
    }));
    const error = checkUsers(config(), users, mounts());
    assert.equal(error?.exit, 'inUse');
    assert.match(error?.message ?? '', /process 100 \(bash\) works in \/srv\/data\/x/);
    assert.match(error?.message ?? '', /and 3 more.*--force/);
    assert.doesNotMatch(error?.message ?? '', /process 105/);
    assert.equal(checkUsers(config({ force: true }), users, mounts()), null);
    assert.equal(checkUsers(config(), [], mounts()), null);
  });

  test('a bind mount elsewhere is a way around the mirror', () => {
    const bound = mounts('50 20 8:1 /srv/data /mnt/other rw - ext4 /dev/sda1 rw');
    assert.match(checkUsers(config(), [], bound)?.message ?? '', /bind mount at \/mnt\/other/);
  });
});
