/**
 * The command line on the real node: an absent peer, a killed daemon, a busy mount, a lost or
 * swapped state directory. Exit status, message with the next step, and that nothing is lost.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { CliResult } from '../helpers/cli.js';
import { freePort } from '../helpers/free-port.js';
import { mountsBelow } from '../helpers/mounts.js';
import { TestNode } from '../helpers/node-process.js';
import { missing } from '../helpers/requires.js';
import { waitFor } from '../helpers/wait-for.js';

function refused(result: CliResult, code: number, message: RegExp): void {
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, message);
}

const file = (node: TestNode): string => join(node.directory, 'file');

describe('mishaps', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('nobody at the peer address: mounted alone with a warning, or refused', async (t) => {
    const node = new TestNode(t, 'primary');
    const peer = ['--peer', `127.0.0.1:${await freePort()}`];
    refused(await node.run('mount', [...peer, '--require-peer']), 9, /cannot be reached/);
    assert.ok(!node.isMounted());
    refused(await node.run('mount', peer), 0, /mounted alone and goes on trying: .*cannot be/);
    fs.writeFileSync(file(node), 'alone');
    const status = await node.status();
    assert.equal(status.service, 'ALONE');
    assert.match(status.reason ?? '', /cannot be reached/);
  });

  test('mounted already, served already, a copy mounted as if it were the primary', async (t) => {
    const node = new TestNode(t, 'node');
    const listen = ['--listen', `127.0.0.1:${await freePort()}`];
    await node.mount();
    refused(await node.run('mount'), 4, /already, by process [0-9]+/);
    refused(await node.run('serve', listen), 4, /already, by process/);
    const copy = new TestNode(t, 'copy');
    await copy.must('serve', listen);
    refused(await copy.run('mount'), 4, /already, by process/);
    await node.must('connect', ['--peer', listen[1] ?? '']);
    await node.waitEstablished();
    await copy.must('stop');
    refused(await copy.run('mount'), 10, /twinfs serve.*twinfs promote/);
    refused(await node.run('stop'), 2, /twinfs umount/);
  });

  test('killed: status says so, umount clears it, the data is intact', async (t) => {
    const node = new TestNode(t, 'primary');
    await node.mount();
    fs.writeFileSync(file(node), 'data');
    await node.kill();
    assert.throws(() => fs.readFileSync(file(node)), { code: 'ENOTCONN' });
    refused(await node.run('status'), 11, /is dead; the data is intact.*twinfs umount/);
    assert.match(await node.must('umount'), /cleared the dead mount/);
    assert.equal(fs.readFileSync(file(node), 'utf8'), 'data');
    await node.mount();
    assert.equal(fs.readFileSync(file(node), 'utf8'), 'data');
    await node.must('umount');
    assert.deepEqual(mountsBelow(node.directory), []);
  });

  test('killed, then simply started again', async (t) => {
    const node = new TestNode(t, 'primary');
    await node.mount();
    fs.writeFileSync(file(node), 'data');
    await node.kill();
    refused(await node.run('mount'), 0, /cleared the dead mount/);
    assert.equal(fs.readFileSync(file(node), 'utf8'), 'data');
    assert.equal(mountsBelow(node.directory).length, 1);
  });

  test('a killed secondary serves again, its directory protected as before', async (t) => {
    const node = new TestNode(t, 'secondary');
    const port = await freePort();
    await node.serve(port);
    await node.kill();
    await node.serve(port);
    assert.throws(() => fs.writeFileSync(file(node), ''), { code: 'EROFS' });
    assert.equal(mountsBelow(node.directory).length, 1);
    await node.must('stop');
    fs.writeFileSync(file(node), 'an ordinary directory again');
  });

  test('umount in use: refused with who it is; --lazy takes it away', async (t) => {
    const node = new TestNode(t, 'primary');
    await node.mount();
    const child = spawn('sleep', ['600'], { cwd: node.directory, stdio: 'ignore' });
    t.after(() => void child.kill('SIGKILL'));
    const where = `/proc/${child.pid}/cwd`;
    await waitFor('the user', () => fs.readlinkSync(where) === node.directory);
    refused(await node.run('umount'), 5, new RegExp(`process ${child.pid} \\(sleep\\) works in`));
    assert.ok(node.isMounted());
    assert.match(await node.must('umount', ['--lazy']), /out of sight; process [0-9]+ ends when/);
    assert.ok(!node.isMounted());
    child.kill('SIGKILL');
    await waitFor('the end of the daemon', () => node.pids().length === 0);
  });

  test('another mirror in the state directory, a state directory that is lost', async (t) => {
    const node = new TestNode(t, 'primary');
    const other = new TestNode(t, 'other');
    for (const each of [node, other]) {
      await each.mount();
      await each.must('umount');
    }
    fs.cpSync(other.state, node.state, { recursive: true, force: true });
    const swapped = await node.run('mount');
    assert.ok([10, 12].includes(swapped.code ?? -1), swapped.stderr);
    assert.match(swapped.stderr, /--state|--force/);
    fs.rmSync(node.state, { recursive: true });
    refused(await node.run('mount'), 10, /--state.*--force/);
    fs.writeFileSync(join(node.state, 'node.json'), '{"torn":');
    refused(await node.run('mount'), 12, /node\.json/);
  });
});
