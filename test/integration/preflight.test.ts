/**
 * What `mount` and `serve` find out about DIR before they start anything: who uses it, what is
 * mounted there, what a killed daemon left. Real processes and mounts; the node behind is a
 * pretended one.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runCli, type CliResult } from '../helpers/cli.js';
import { mountsBelow } from '../helpers/mounts.js';
import { repoRoot } from '../helpers/paths.js';
import { pidsOfState } from '../helpers/processes.js';
import { missing } from '../helpers/requires.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const script = join(repoRoot, 'dist/test/fixtures/fake-main.js');

function place(context: Cleanup) {
  const base = tempDir(context);
  const directory = join(base, 'data');
  fs.mkdirSync(directory);
  return { base, directory, state: join(base, 'state') };
}

type Place = ReturnType<typeof place>;

const mount = ({ directory, state }: Place, args: string[] = []): Promise<CliResult> =>
  runCli(['mount', directory, '--state', state, ...args], { script });

function refused(result: CliResult, code: number, message: RegExp): void {
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, message);
}

/** A process that says "ready" on stdout once it uses what it is to use. */
async function user(
  context: Cleanup,
  command: string,
  options: { cwd?: string } = {},
): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'], ...options });
  context.after(() => {
    child.kill('SIGKILL');
    child.stdout.destroy();
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  await waitFor('the user of the directory', () => text.includes('ready'));
  return child;
}

/** A FUSE mount whose daemon is gone: /dev/fuse is closed as soon as mount(8) has ended. */
function deadMount(mountpoint: string, source: string): void {
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const command = 'exec 3<>/dev/fuse; mount -i -t fuse.twinfs -o "$1" "$2" "$3"';
  const result = spawnSync('sh', ['-c', command, 'sh', options, source, mountpoint], {
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, result.stderr);
  assert.throws(() => fs.statSync(mountpoint), { code: 'ENOTCONN' });
}

const sh = (command: string, ...args: string[]): void => {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
};

describe(
  'users of DIR from before the mount',
  { skip: missing({ root: true, fuse: true }) },
  () => {
    test('a working directory, named with its process, and --force', async (t) => {
      const at = place(t);
      const child = await user(t, 'echo ready; exec sleep 600', { cwd: at.directory });
      const message = new RegExp(`process ${child.pid} .* works in ${at.directory}.*--force`);
      refused(await mount(at), 5, message);
      assert.equal((await mount(at, ['--force'])).code, 0);
    });

    test('an open file, deep below', async (t) => {
      const at = place(t);
      fs.mkdirSync(join(at.directory, 'a/b'), { recursive: true });
      const file = join(at.directory, 'a/b/file');
      const child = await user(t, `exec 5>${file}; echo ready; exec sleep 600`);
      refused(await mount(at), 5, new RegExp(`process ${child.pid} .* has open ${file}`));
    });

    test('a running program and a mapped library', async (t) => {
      const at = place(t);
      const program = join(at.directory, 'program');
      fs.copyFileSync('/bin/sleep', program);
      fs.chmodSync(program, 0o755);
      const child = spawn(program, ['600'], { stdio: 'ignore' });
      t.after(() => void child.kill('SIGKILL'));
      await waitFor('the program', () => fs.readlinkSync(`/proc/${child.pid}/exe`) === program);
      refused(await mount(at), 5, new RegExp(`process ${child.pid} .* runs ${program}`));
    });

    test('a neighbour whose name only begins alike is no user', async (t) => {
      const at = place(t);
      const near = `${at.directory}2`;
      fs.mkdirSync(near);
      await user(t, 'echo ready; exec sleep 600', { cwd: near });
      assert.equal((await mount(at)).code, 0);
    });

    test('a bind mount elsewhere', async (t) => {
      const at = place(t);
      const other = join(at.base, 'other');
      fs.mkdirSync(other);
      sh('mount', '--bind', at.directory, other);
      refused(await mount(at), 5, new RegExp(`bind mount at ${other}`));
    });

    test('another filesystem inside', async (t) => {
      const at = place(t);
      const inside = join(at.directory, 'inside');
      fs.mkdirSync(inside);
      sh('mount', '-t', 'tmpfs', 'tmpfs', inside);
      refused(
        await mount(at),
        3,
        new RegExp(`another filesystem is mounted inside .*at ${inside}`),
      );
    });
  },
);

describe('what cannot be a mirror', { skip: missing({ root: true, fuse: true }) }, () => {
  test('DIR missing, a file, or with its state, log or mountpoint inside', async (t) => {
    const at = place(t);
    const missingDir = { ...at, directory: join(at.base, 'nothing') };
    refused(await mount(missingDir), 3, /does not exist/);
    fs.writeFileSync(missingDir.directory, '');
    refused(await mount(missingDir), 3, /not a directory/);
    refused(
      await mount({ ...at, state: join(at.directory, 's') }),
      3,
      /name one outside with --state/,
    );
    refused(await mount(at, ['--log', join(at.directory, 'log')]), 3, /outside with --log/);
    const mountpoint = join(at.directory, 'm');
    fs.mkdirSync(mountpoint);
    const nested = ['mount', at.directory, mountpoint, '--state', at.state];
    refused(await runCli(nested, { script }), 3, /inside one another/);
    assert.ok(!fs.existsSync(at.state), 'nothing was made');
  });

  test('twinfs itself inside', async (t) => {
    const at = place(t);
    const result = await mount({ ...at, directory: join(repoRoot, 'dist') }, ['--force']);
    refused(result, 3, /twinfs itself .* lies inside/);
  });

  test('not root', async (t) => {
    const at = place(t);
    const args = ['mount', at.directory, '--state', at.state];
    refused(await runCli(args, { script, uid: 65534 }), 8, /needs root.*sudo/);
  });

  test('a state directory that is a file', async (t) => {
    const at = place(t);
    fs.writeFileSync(at.state, '', { mode: 0o755 });
    refused(await mount(at), 12, /cannot use the state directory/);
  });

  test('a log file that cannot be', async (t) => {
    const at = place(t);
    const result = await mount(at, ['--log', '/proc/no/log']);
    refused(result, 2, /cannot open the log file \/proc\/no\/log/);
  });
});

describe('what a killed daemon leaves', { skip: missing({ root: true, fuse: true }) }, () => {
  test('a dead mount in place: status says so, umount clears it', async (t) => {
    const at = place(t);
    fs.writeFileSync(join(at.directory, 'file'), 'data');
    deadMount(at.directory, at.directory);
    const status = await runCli(['status', at.directory, '--state', at.state], { script });
    refused(status, 11, /is dead; the data is intact.*twinfs umount/);
    const umount = await runCli(['umount', at.directory, '--state', at.state], { script });
    assert.equal(umount.code, 0, umount.stderr);
    assert.match(umount.stdout, /cleared the dead mount/);
    assert.equal(fs.readFileSync(join(at.directory, 'file'), 'utf8'), 'data');
    assert.equal((await runCli(['umount', at.directory], { script })).code, 11);
  });

  test('a dead mount elsewhere, named by DIR or by its mountpoint', async (t) => {
    const at = place(t);
    const mountpoint = join(at.base, 'mnt');
    fs.mkdirSync(mountpoint);
    for (const name of [at.directory, mountpoint]) {
      deadMount(mountpoint, at.directory);
      assert.equal((await runCli(['umount', name], { script })).code, 0, name);
      assert.deepEqual(mountsBelow(at.base), []);
    }
  });

  test('a start clears a dead mount and says so', async (t) => {
    const at = place(t);
    deadMount(at.directory, at.directory);
    const result = await mount(at);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stderr, /cleared the dead mount at/);
    assert.deepEqual(mountsBelow(at.base), []);
    assert.equal(pidsOfState(at.state).length, 1);
  });

  test('the read-only bind of a served directory', async (t) => {
    const at = place(t);
    sh('mount', '--bind', at.directory, at.directory);
    sh('mount', '-o', 'remount,ro,bind', at.directory);
    const serve = ['serve', at.directory, '--listen', '127.0.0.1:1', '--state', at.state];
    const first = await runCli(serve, { script });
    assert.equal(first.code, 0, first.stderr);
    assert.equal(mountsBelow(at.base).length, 1, 'without a record it may be the administrator');
    assert.equal((await runCli(['stop', at.directory], { script })).code, 0);
    fs.writeFileSync(join(at.state, 'node.json'), '{}');
    const second = await runCli(serve, { script });
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(mountsBelow(at.base), []);
  });
});

describe('names that are no text', { skip: missing({ root: true, fuse: true }) }, () => {
  test('DIR of any bytes is served, found and stopped', async (t) => {
    const at = place(t);
    const name = Buffer.concat([Buffer.from(`${at.base}/`), Buffer.from([0xff, 0x20, 0x0a])]);
    fs.mkdirSync(name);
    // An argument of spawn is text: the shell's printf makes the bytes.
    const run = (command: string): { status: number | null; text: string } => {
      const line = `"$0" "$1" ${command} "$(printf '%b' "$2/\\0377 \\nx")" --state "$3" 2>&1`;
      const args = ['-c', line, process.execPath, script, at.base, at.state];
      const result = spawnSync('sh', args, { encoding: 'utf8' });
      return { status: result.status, text: result.stdout };
    };
    fs.renameSync(name, Buffer.concat([name, Buffer.from('x')]));
    const started = run('mount');
    assert.equal(started.status, 0, started.text);
    assert.match(run('mount').text, /\/\\xff \\x0ax is mounted or served already/);
    assert.equal(run('umount').status, 0);
  });
});
