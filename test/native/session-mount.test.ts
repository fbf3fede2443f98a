/** The life of a mount: made, seen, busy, ended by umount or by the death of its process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountsBelow, unmountBelow } from '../helpers/mounts.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, runIn, skip } from './session-rig.js';

const childMain = fileURLToPath(new URL('session-child.js', import.meta.url));

test('mounts, serves what was there, and ends by umount', { skip }, async (context) => {
  const rig = await mountedRig(context, {
    prepare: (source) => fs.writeFileSync(join(source, 'old'), 'from before\n'),
  });
  const [mount] = mountsBelow(rig.mountpoint);
  assert.equal(mount?.type, 'fuse.twinfs');
  assert.equal(mount.source, 'twinfs-test');
  assert.equal(await rig.sh('cat old'), 'from before\n');
  await rig.sh('echo new > new && mkdir -p a/b && mv new a/b/');
  assert.equal(fs.readFileSync(join(rig.source, 'a/b/new'), 'utf8'), 'new\n');
  await rig.engine.unmount(false);
  await waitFor('the end', () => rig.ended.length > 0);
  assert.deepEqual(rig.ended, ['unmounted']);
  assert.deepEqual(mountsBelow(rig.mountpoint), []);
});

test('mounts over the very directory it serves', { skip }, async (context) => {
  const directory = tempDir(context, 'in-place');
  fs.writeFileSync(join(directory, 'file'), 'data');
  const rig = await mountedRig(context, {
    mount: {
      mountpoint: Buffer.from(directory),
      sourceFd: fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY),
    },
  });
  assert.equal((await runIn(directory, 'cat file; echo more >> file')).output, 'data');
  assert.equal(mountsBelow(directory).length, 1);
  await rig.engine.unmount(false);
  await waitFor('the end', () => rig.ended.length > 0);
  assert.equal(fs.readFileSync(join(directory, 'file'), 'utf8'), 'datamore\n');
});

test('a busy mount is refused with EBUSY and goes on', { skip }, async (context) => {
  const rig = await mountedRig(context);
  const holder = spawn('sh', ['-c', 'exec 3> held; echo ready; cat'], {
    cwd: rig.mountpoint,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  rig.children.add(holder);
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await assert.rejects(rig.engine.unmount(false), { code: 'EBUSY', syscall: 'umount2' });
  await rig.sh('echo still here > file');
  assert.deepEqual(rig.ended, []);
  holder.stdin.end();
  await new Promise((resolve) => holder.once('close', resolve));
  await rig.engine.unmount(false);
});

test('a mountpoint that is not there is refused with its reason', { skip }, async (context) => {
  const mountpoint = Buffer.from(join(tempDir(context), 'nowhere'));
  await assert.rejects(mountedRig(context, { mount: { mountpoint } }), {
    code: 'mount-failed',
    message: /ENOENT/,
  });
});

test(
  'a killed daemon leaves a mount that can be cleared, and the data',
  { skip },
  async (context) => {
    const directory = tempDir(context, 'killed');
    const child = spawn(process.execPath, [childMain, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    context.after(() => void child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    assert.equal((await runIn(directory, 'echo kept > file')).status, 0);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    await assert.rejects(fs.promises.stat(join(directory, 'file')), { code: 'ENOTCONN' });
    unmountBelow(directory);
    assert.deepEqual(mountsBelow(directory), []);
    assert.equal(fs.readFileSync(join(directory, 'file'), 'utf8'), 'kept\n');
  },
);

test('a process may exit while its mount is in use', { skip }, async (context) => {
  const directory = tempDir(context, 'exit');
  const child = spawn(process.execPath, [childMain, directory, 'exit'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  context.after(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const user = runIn(directory, 'while echo x >> file; do :; done 2>/dev/null');
  await waitFor('a write', () =>
    runIn(directory, 'test -s file').then(({ status }) => status === 0),
  );
  child.stdin.end();
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(status, 0);
  await user;
  unmountBelow(directory);
});
