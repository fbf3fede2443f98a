/**
 * Peers that speak another version, of another mirror, or no sense at all, towards either side:
 * the reason is told to both operators, nothing is changed, and a proper peer is taken afterwards.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ask } from '../../src/control/client.js';
import { NO_ID } from '../../src/core/types.js';
import { PROTOCOL_VERSION } from '../../src/wire/handshake.js';
import { hash32 } from '../../src/wire/hash.js';
import type { Hello, Message } from '../../src/wire/messages.js';
import { CommitLoad, checkCommits } from '../helpers/commit-log.js';
import { DamagingProxy } from '../helpers/damaging-proxy.js';
import { dialFake, FakeSecondary, frameOf, helloOf, primaryHello } from '../helpers/fake-peer.js';
import type { FakePeer } from '../helpers/fake-peer.js';
import { freePort } from '../helpers/free-port.js';
import { TestNode } from '../helpers/node-process.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const NEXT_VERSION = PROTOCOL_VERSION + 1;

const damaged = (frame: Buffer, at: number): Buffer => {
  const copy = Buffer.from(frame);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
};

/** A frame that announces more than anybody may send; its prefix is otherwise in order. */
function oversized(): Buffer {
  const frame = Buffer.from(frameOf({ type: 'ping', number: 1 }));
  frame.writeUInt32LE(0xfffffff0, 12);
  frame.writeUInt32LE(hash32(frame.subarray(0, 16)), 16);
  return frame;
}

interface Nonsense {
  readonly what: string;
  readonly bytes: () => Buffer;
  readonly code: RegExp;
  readonly text: RegExp;
}

/** What either side may get instead of a Hello. */
const NONSENSE: readonly Nonsense[] = [
  {
    what: 'another protocol',
    bytes: () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\nfiller filler'),
    code: /^bad-magic$/,
    text: /does not speak twinfs/,
  },
  {
    what: 'a damaged prefix',
    bytes: () => damaged(frameOf(helloOf()), 9),
    code: /^bad-checksum$/,
    text: /damaged on the way/,
  },
  {
    what: 'a damaged message',
    bytes: () => damaged(frameOf(helloOf()), 40),
    code: /^bad-checksum$/,
    text: /damaged on the way/,
  },
  {
    what: 'an oversized length',
    bytes: oversized,
    code: /^frame-too-long$/,
    text: /announced a payload of 4294967280 bytes, more than/,
  },
  {
    what: 'a frame of another version',
    bytes: () => {
      const frame = Buffer.from(frameOf(helloOf()));
      frame[4] = 9;
      return frame;
    },
    code: /^wrong-version$/,
    text: /frames of version 9.*same version on both nodes/,
  },
];

describe('towards the secondary', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('each is told why, and a proper primary is served afterwards', async (t) => {
    const secondary = new TestNode(t, 'secondary');
    const port = await freePort();
    await secondary.serve(port);

    for (const { what, bytes, code, text } of NONSENSE) {
      const peer = await dialFake(t, port);
      peer.sendBytes(bytes());
      const refuse = await peer.message('refuse');
      assert.match(refuse.code, code, what);
      assert.match(refuse.text, text, what);
      await peer.closed();
      const { reason } = await secondary.quickStatus();
      assert.match(reason ?? '', text, `${what}: shown by status`);
    }

    const versions: [Partial<Hello>, RegExp][] = [
      [{ protocol: NEXT_VERSION }, new RegExp(`twinfs 9.9.9.* speaks protocol ${NEXT_VERSION}`)],
      [{ features: 1n << 50n }, /needs protocol features/],
    ];
    for (const [fields, text] of versions) {
      const peer = await dialFake(t, port);
      peer.send(primaryHello(fields));
      const refuse = await peer.message('refuse');
      assert.match(refuse.text, text);
      assert.match(refuse.text, /run the same twinfs version on both nodes/);
      await peer.closed();
      assert.match((await secondary.quickStatus()).reason ?? '', text);
    }

    // Messages that are well made, at the wrong time.
    for (const message of [
      { type: 'syncStored' },
      { type: 'ack', received: 1, applied: 1, durable: 1, failed: null, space: null },
      { type: 'ops', firstSeq: 1, ops: [{ kind: 'unlink', parent: 1, name: X, directory: false }] },
    ] as Message[]) {
      const peer = await dialFake(t, port);
      peer.send(message);
      await peer.closed();
      assert.match((await secondary.quickStatus()).reason ?? '', /at this place of the protocol/);
    }

    // Somebody who connects and says nothing does not keep the primary out.
    await dialFake(t, port);
    const primary = new TestNode(t, 'primary');
    fs.writeFileSync(join(primary.directory, 'x'), 'content');
    await primary.mount(['--peer', `127.0.0.1:${port}`]);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);

    // A second primary is turned away and does not disturb the first.
    const second = await dialFake(t, port);
    second.send(primaryHello());
    assert.match((await second.message('refuse')).text, /connected already/);
    assert.equal((await primary.quickStatus()).replication, 'Established');
  });

  test("another mirror's primary does not get to change anything", async (t) => {
    const secondary = new TestNode(t, 'secondary');
    const port = await freePort();
    await secondary.serve(port);
    const primary = new TestNode(t, 'primary');
    fs.writeFileSync(join(primary.directory, 'x'), 'content');
    await primary.mount(['--peer', `127.0.0.1:${port}`]);
    await primary.waitEstablished();
    await primary.must('umount');

    const peer = await dialFake(t, port);
    const hello = primaryHello();
    peer.send(hello);
    assert.notEqual((await peer.message('hello')).mirror, hello.mirror);
    // It does not heed its own comparison.
    const { mirror } = hello;
    peer.send({ type: 'decision', kind: 'full-resync', rule: 'same-generation', mirror });
    const refuse = await peer.message('refuse');
    assert.equal(refuse.code, 'other-mirror');
    assert.match(refuse.text, /another mirror.*--discard-mine/);
    await peer.closed();
    assert.deepEqual(fs.readdirSync(secondary.directory), ['x']);

    // A real one of another mirror stands alone with the reason; --require-peer does not mount.
    const stranger = new TestNode(t, 'stranger');
    fs.writeFileSync(join(stranger.directory, 'y'), 'other');
    const args = ['--peer', `127.0.0.1:${port}`];
    const result = await stranger.run('mount', [...args, '--require-peer']);
    assertRefused(result, 'refused', /another mirror.*--discard-mine/);
    assert.equal(stranger.isMounted(), false);
    const waited = await stranger.run('mount', [...args, '--wait-synced']);
    assertRefused(waited, 'refused', /is mounted, but not mirrored: .*another mirror/);
    assert.equal((await stranger.quickStatus()).link, 'StandAlone');
    assert.deepEqual(fs.readdirSync(secondary.directory), ['x']);

    // The override that was named.
    await secondary.must('stop');
    await secondary.serve(port, ['--discard-mine']);
    await stranger.must('connect');
    await stranger.waitEstablished();
    assert.deepEqual(fs.readdirSync(secondary.directory), ['y']);
  });
});

const X = Buffer.from('x');

/** Points the running primary at this fake and gives the first connection it makes. */
async function introduce(primary: TestNode, fake: FakeSecondary): Promise<FakePeer> {
  const before = fake.peers.length;
  const target = { stateDir: primary.state, shown: primary.directory };
  const peer = { host: '127.0.0.1', port: fake.port };
  await ask(target, { command: 'connect', overwritePeer: false, peer });
  return waitFor('the primary to dial', () => fake.peers[before] ?? null);
}

describe('towards the primary', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('each is shown by status, DIR goes on, and a proper secondary is taken', async (t) => {
    const primary = new TestNode(t, 'primary');
    const file = join(primary.directory, 'file');
    await primary.mount();
    for (const { what, bytes, text } of NONSENSE) {
      const fake = await FakeSecondary.start(t, (message, peer) => {
        if (message.type === 'hello') peer.sendBytes(bytes());
      });
      await introduce(primary, fake);
      await primary.waitStatus(what, ({ reason }) => text.test(reason ?? ''));
      await fs.promises.appendFile(file, `${what}\n`);
      await waitFor(`another attempt after ${what}`, () => fake.peers.length > 1);
      await fake.stop();
    }

    // A node that is being upgraded is tried again, one that disagrees about the data is not.
    const passing: [string, Message, RegExp][] = [
      ['version', helloOf({ protocol: NEXT_VERSION }), /speaks protocol .*same twinfs version/],
      ['features', helloOf({ features: 1n << 40n }), /needs protocol features/],
      ['its refusal', { type: 'refuse', code: 'wrong-version', text: 'TOO OLD' }, /TOO OLD/],
    ];
    for (const [what, answer, text] of passing) {
      const fake = await FakeSecondary.start(t, (message, peer) => {
        if (message.type === 'hello') peer.send(answer);
      });
      const peer = await introduce(primary, fake);
      await primary.waitStatus(what, ({ reason }) => text.test(reason ?? ''));
      if (answer.type === 'hello') assert.match((await peer.message('refuse')).text, text);
      await waitFor(`another attempt after ${what}`, () => fake.peers.length > 1);
      await fs.promises.appendFile(file, `${what}\n`);
      await fake.stop();
    }

    const lasting: [string, Message, RegExp][] = [
      ['mirror', helloOf({ mirror: 'abcdabcdabcdabcd', base: X16 }), /mirror.*--discard-mine/],
      ['role', primaryHello({ mirror: NO_ID, current: NO_ID, base: NO_ID }), /both .* Primary/],
    ];
    for (const [what, answer, text] of lasting) {
      const fake = await FakeSecondary.start(t, (message, peer) => {
        if (message.type === 'hello') peer.send(answer);
      });
      const peer = await introduce(primary, fake);
      const wanted = await primary.waitStatus(what, ({ link }) => link === 'StandAlone');
      assert.match(wanted.reason ?? '', text);
      // Both operators read it.
      if (answer.type === 'hello') assert.match((await peer.message('refuse')).text, text);
      await fs.promises.appendFile(file, `${what}\n`);
      await fake.stop();
    }

    const secondary = new TestNode(t, 'secondary');
    const port = await freePort();
    await secondary.serve(port);
    await primary.must('connect', ['--peer', `127.0.0.1:${port}`]);
    await primary.waitEstablished();
    await waitForEqualTrees(primary.directory, secondary.directory);
    const lines = fs.readFileSync(join(secondary.directory, 'file'), 'utf8').trim().split('\n');
    assert.equal(lines.length, NONSENSE.length + passing.length + lasting.length);
  });

  test('--require-peer has the exit status of what is wrong', async (t) => {
    const primary = new TestNode(t, 'primary');
    const mountWith = async (answer: Message | Buffer) => {
      const fake = await FakeSecondary.start(t, (message, peer) => {
        if (message.type !== 'hello') return;
        if (Buffer.isBuffer(answer)) peer.sendBytes(answer);
        else peer.send(answer);
      });
      const result = await primary.run('mount', ['--peer', fake.address, '--require-peer']);
      await fake.stop();
      assert.equal(primary.isMounted(), false);
      return result;
    };
    const version = await mountWith(helloOf({ protocol: NEXT_VERSION }));
    assertRefused(version, 'protocol', /same twinfs version on both nodes/);
    const told = await mountWith({ type: 'refuse', code: 'wrong-version', text: 'TOO OLD' });
    assertRefused(told, 'protocol', /TOO OLD/);
    const foreign = await mountWith(Buffer.from('220 mail.example ESMTP ready, go ahead\r\n'));
    assertRefused(foreign, 'protocol', /does not speak twinfs/);
    const primaries = await mountWith(
      primaryHello({ mirror: NO_ID, current: NO_ID, base: NO_ID, empty: true }),
    );
    assertRefused(primaries, 'refused', /both nodes are Primary/);
  });

  test('an acknowledgement of what was never sent ends the connection', async (t) => {
    const fake = await FakeSecondary.start(t, (message, peer) => {
      if (message.type === 'hello') peer.send(helloOf());
      if (message.type === 'ping') peer.send({ type: 'pong', number: message.number });
      if (message.type === 'dirList') {
        const { id } = message;
        const nothing = { fresh: [], stale: [], linked: [], removed: 0, problem: null };
        peer.send({ type: 'dirResult', id, ...nothing });
      }
      if (message.type === 'syncEnd') peer.send({ type: 'syncStored' });
      if (message.type === 'ops') {
        const far = { received: 1e6, applied: 1e6, durable: 1e6 };
        peer.send({ type: 'ack', ...far, failed: null, space: null });
      }
    });
    const primary = new TestNode(t, 'primary');
    await primary.mount(['--peer', fake.address]);
    await primary.waitEstablished();
    await fs.promises.writeFile(join(primary.directory, 'file'), 'content');
    const lost = await primary.waitStatus('the reason', ({ reason }) => reason !== null);
    assert.match(lost.reason ?? '', /acknowledgement .* beyond the last one sent/);
    assert.equal(lost.wentAlone, true, 'what the peer claims to have counts for nothing');
    await fake.stop();
  });
});

const X16 = '00000000000000aa';

describe('damage on the way', { skip: missing({ fuse: true, addon: true }) }, () => {
  test('either direction: found, told, and mended without a word of the operator', async (t) => {
    const secondary = new TestNode(t, 'secondary');
    const port = await freePort();
    await secondary.serve(port);
    const proxy = await DamagingProxy.start(t, port);
    const primary = new TestNode(t, 'primary');
    await primary.mount(['--peer', proxy.address, '--mode', 'semi-sync']);
    await primary.waitEstablished();
    const logFile = join(tempDir(t), 'log');
    const load = CommitLoad.start(t, { directory: join(primary.directory, 'load'), logFile });
    await load.waitForMore(50);
    for (const direction of ['forward', 'backward', 'forward'] as const) {
      proxy.damage(direction);
      await waitFor('the damage', () => proxy.isDone());
      await primary.waitStatus('the loss', ({ replication }) => replication !== 'Established');
      await load.waitForMore(20);
      await primary.waitEstablished();
    }
    await load.stop();
    await primary.must('flush');
    const verdict = checkCommits(logFile, join(secondary.directory, 'load'));
    assert.deepEqual(verdict.missing, []);
    assert.deepEqual(verdict.errors, []);
    await waitForEqualTrees(primary.directory, secondary.directory);
    const log = fs.readFileSync(secondary.log, 'utf8') + fs.readFileSync(primary.log, 'utf8');
    assert.match(log, /damaged on the way/);
  });
});
