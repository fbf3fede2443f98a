/**
 * Disks that fail: an error of the local disk is the application's, never the peer's; a copy whose
 * disk lost data is not trusted any more; and neither daemon dies of it.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freePort } from '../helpers/free-port.js';
import { TestNode } from '../helpers/node-process.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { must } from '../helpers/shell.js';
import { SmallDisk } from '../helpers/small-disk.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const SHORT = ['-o', 'peer_timeout=1s'];
const commands = ['mkfs.ext4', 'losetup', 'python3'];
const needs = { skip: missing({ fuse: true, addon: true, commands }) };

/** A disk whose image lies on a full filesystem: it takes data, and loses it when it is synced. */
function losingDisk(context: Cleanup): SmallDisk {
  const outer = join(tempDir(context, 'outer'), 'tmpfs');
  fs.mkdirSync(outer);
  must('mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', outer);
  return new SmallDisk(context, 64, { imageDir: outer });
}

async function startOn(
  context: Cleanup,
  disk: SmallDisk,
  who: 'primary' | 'secondary',
): Promise<{ primary: TestNode; secondary: TestNode; port: number }> {
  const place = (name: string): string | undefined =>
    name === who ? join(disk.path, 'data') : undefined;
  const secondary = new TestNode(context, 'secondary', place('secondary'));
  const primary = new TestNode(context, 'primary', place('primary'));
  const port = await freePort();
  await secondary.serve(port);
  await primary.mount(['--peer', `127.0.0.1:${port}`, ...SHORT]);
  await primary.waitEstablished();
  return { primary, secondary, port };
}

async function writeSynced(path: string, bytes: number): Promise<void> {
  const file = await fs.promises.open(path, 'w');
  try {
    // One request of the kernel each, so that each has an answer of its own.
    for (let at = 0; at < bytes; at += 1 << 16) await file.write(Buffer.alloc(1 << 16, 5));
    await file.sync();
  } finally {
    await file.close();
  }
}

describe('a disk that loses what it was given', needs, () => {
  test("the primary's: EIO, Inconsistent, no more changes; the peer takes over", async (t) => {
    const { primary, secondary, port } = await startOn(t, losingDisk(t), 'primary');
    await fs.promises.writeFile(join(primary.directory, 'before'), 'x');
    await assert.rejects(writeSynced(join(primary.directory, 'big'), 16 << 20), { code: /EIO/ });
    const status = await primary.waitStatus('Inconsistent', (s) => s.data === 'Inconsistent');
    assert.equal(status.role, 'Primary');
    await assert.rejects(fs.promises.writeFile(join(primary.directory, 'later'), 'x'), {
      code: 'EROFS',
    });
    assert.match(primary.logTail(100), /failed to store data.*promote the peer/);
    await primary.must('umount', ['--lazy']);
    await waitFor('the end of the primary', () => primary.pids().length === 0);
    // It does not come back as if nothing had been.
    const again = await primary.run('mount', ['--peer', `127.0.0.1:${port}`]);
    assertRefused(again, 'refused', /cannot be trusted.*promote.*--overwrite-peer/);
    await secondary.promote();
    assert.equal(fs.readFileSync(join(secondary.directory, 'before'), 'utf8'), 'x');
    fs.writeFileSync(join(secondary.directory, 'onward'), 'x');
  });

  test("the secondary's: its copy is Inconsistent, the primary goes on", async (t) => {
    const { primary, secondary } = await startOn(t, losingDisk(t), 'secondary');
    await fs.promises.writeFile(join(primary.directory, 'before'), 'x');
    await writeSynced(join(primary.directory, 'big'), 16 << 20);
    await primary.waitStatus('the loss', (s) => /EIO|could not/.test(s.reason ?? ''));
    await secondary.waitStatus('Inconsistent', (s) => s.data === 'Inconsistent');
    assertRefused(await secondary.run('promote'), 'refused', /Inconsistent|answers/);
    await writeSynced(join(primary.directory, 'onward'), 1 << 20);
    assert.equal((await primary.quickStatus()).data, 'UpToDate');
  });
});

describe('a disk that is gone', needs, () => {
  test("the secondary's: the primary goes on, and another copy is taken", async (t) => {
    const disk = new SmallDisk(t, 64);
    const { primary, secondary } = await startOn(t, disk, 'secondary');
    await fs.promises.writeFile(join(primary.directory, 'before'), 'x');
    disk.break();
    await writeSynced(join(primary.directory, 'onward'), 1 << 20);
    await primary.waitStatus('the reason', (s) => /EIO/.test(s.reason ?? ''));
    assert.ok(secondary.pids().length > 0, 'it goes on and can be asked');
    await secondary.must('stop');
    const spare = new TestNode(t, 'spare');
    const port = await freePort();
    await spare.serve(port);
    await primary.must('connect', ['--peer', `127.0.0.1:${port}`]);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, spare.directory);
  });

  test("the primary's: EIO for applications, the daemon lives, the peer has it all", async (t) => {
    const disk = new SmallDisk(t, 64);
    const { primary, secondary, port } = await startOn(t, disk, 'primary');
    await fs.promises.writeFile(join(primary.directory, 'before'), 'x');
    await primary.must('flush');
    disk.break();
    await assert.rejects(writeSynced(join(primary.directory, 'after'), 1 << 20));
    // A peer that comes anew needs a look at the directory, which fails.
    await secondary.must('stop');
    await secondary.serve(port);
    const alone = await primary.waitStatus('the reason', (s) => /EIO/.test(s.reason ?? ''));
    assert.equal(alone.role, 'Primary');
    await primary.must('umount', ['--lazy']);
    await waitFor('the end of the primary', () => primary.pids().length === 0);
    await secondary.promote();
    assert.equal(fs.readFileSync(join(secondary.directory, 'before'), 'utf8'), 'x');
    assert.deepEqual(fs.readdirSync(secondary.directory), ['before']);
  });
});
