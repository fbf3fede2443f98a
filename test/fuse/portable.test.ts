/**
 * The portable engine under plain shell tools: what they see on the mount, and whether the ops
 * handed over make an equal tree elsewhere.
 */
import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Change, EngineEvents } from '../../src/engine/engine.js';
import { FuseNativeEngine, PORTABLE_LIMITS } from '../../src/engine/fuse-native.js';
import { ReplayedTree } from '../helpers/replayed-tree.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';

const O_PATH = 0o10000000;
const DEADLINE_MS = 20_000;

class Rig {
  readonly dir: string;
  readonly copy: string;
  readonly sourceFd: number;
  readonly changes: Change[] = [];
  readonly said: string[] = [];
  readonly engine: FuseNativeEngine;
  gateWaits = 0;
  ended = 0;
  /** Complete tokens as they come. */
  answers = true;

  constructor(context: TestContext) {
    // Before tempDir's own cleaning, which would unmount behind the engine's back.
    context.after(async () => {
      if (this.ended === 0) await this.engine.unmount(true);
      closeSync(this.sourceFd);
    });
    const root = tempDir(context, 'portable');
    this.dir = join(root, 'dir');
    this.copy = join(root, 'copy');
    mkdirSync(this.dir);
    mkdirSync(this.copy);
    writeFileSync(join(this.dir, 'old'), 'from before the mount\n');
    execFileSync('cp', ['-a', join(this.dir, 'old'), join(this.copy, 'old')]);
    this.sourceFd = openSync(this.dir, O_PATH | constants.O_DIRECTORY);
    this.engine = new FuseNativeEngine((text) => this.said.push(text));
  }

  async start(): Promise<this> {
    const { engine } = this;
    await engine.mount(
      {
        sourceFd: this.sourceFd,
        mountpoint: Buffer.from(this.dir),
        fsname: 'twinfs-test',
        workers: 1,
        handoffBytesMax: 1 << 20,
        writebackCache: false,
      },
      this.#events(),
    );
    engine.setStream('on');
    engine.setAnswer({ by: 'stream', syncData: false });
    engine.setGate(true);
    return this;
  }

  #events(): EngineEvents {
    return {
      changes: (batch) => {
        this.changes.push(...batch);
        this.engine.credit(batch.reduce((sum, change) => sum + change.bytes, 0));
        const tokens = batch.map((change) => change.token).filter((token) => token !== 0);
        if (this.answers) this.engine.complete(tokens, 0);
      },
      waitingAtGate: () => void (this.gateWaits += 1),
      localSyncFailed: (errno) => assert.fail(`local sync failed: ${errno}`),
      ended: () => void (this.ended += 1),
    };
  }

  /** Runs a shell script in the mount; this process answers it meanwhile. */
  shell(script: string): Promise<{ code: number | null; out: string }> {
    const env = { ...process.env, DIR: this.dir };
    const child = spawn('bash', ['-ec', `cd "$DIR"; ${script}`], { cwd: '/', env });
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (out += text.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    return new Promise((resolve) => {
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, out });
      });
    });
  }

  async ok(script: string): Promise<string> {
    const { code, out } = await this.shell(script);
    assert.equal(code, 0, `${script}\n${out}`);
    return out;
  }

  /**
   * The copy made from the ops equals the data. Looked at without the mount: a tool that walks by
   * ".." would cross into it, and wait for this process, which waits for the tool.
   */
  async assertReplayed(): Promise<void> {
    this.engine.flushTimes();
    await this.engine.unmount(false);
    const replayed = new ReplayedTree(this.copy);
    for (const { op } of this.changes) replayed.apply(op);
    assert.deepEqual(findDifferences(this.dir, this.copy), []);
  }
}

// fuse-native keeps the event loop alive for ever, mounted or not.
after(() => {
  setTimeout(() => process.exit(), 500).unref();
});

const needs = { fuse: true, commands: ['git', 'getfattr'] };
describe('the portable engine', { skip: missing(needs) }, () => {
  test('plain tools work, and the ops make an equal tree', async (t) => {
    const rig = await new Rig(t).start();
    assert.equal(await rig.ok('cat old'), 'from before the mount\n');
    await rig.ok('mkdir -p a/b/c; echo hello > a/b/file; echo more >> a/b/file; cat a/b/file');
    assert.equal(await rig.ok('cat a/b/file'), 'hello\nmore\n');
    await rig.ok(
      'head -c 700000 /dev/urandom > a/big; dd if=/dev/zero of=a/big bs=1 seek=5 count=9 conv=notrunc',
    );
    await rig.ok('ln -s b/file a/link; ln a/big a/hard; chmod 751 a/b; chmod u+s a/b/file');
    await rig.ok(
      'mv a moved; mkdir x; mv moved/b x/; echo deep > x/b/c/deep; truncate -s 3 x/b/file',
    );
    await rig.ok('echo new > n; mv n old; rm moved/hard; rmdir x/b/c 2>/dev/null || rm -r x/b/c');
    await rig.ok('chown 12:34 old; touch -d "2001-02-03 04:05:06.789" old');
    await rig.ok(
      'setfattr -n user.colour -v blue old; setfattr -n user.gone -v 1 old; setfattr -x user.gone old',
    );
    assert.equal(await rig.ok('getfattr --only-values -n user.colour old'), 'blue');
    await rig.ok('sync old; cp -a x y; sync x');
    assert.equal(await rig.ok('readlink moved/link'), 'b/file\n');
    await rig.assertReplayed();
  });

  test('an archive and a repository arrive whole', async (t) => {
    const rig = await new Rig(t).start();
    await rig.ok('mkdir t; cd t; for i in $(seq 40); do mkdir d$i; echo $i > d$i/f; done');
    await rig.ok('tar cf t.tar t; mkdir u; tar xf t.tar -C u; diff -r t u/t; rm -r t');
    await rig.ok(
      'git init -q r; cd r; git config user.email a@b; git config user.name a; cp -r ../u .; git add .; git commit -q -m one; git gc -q; git fsck',
    );
    await rig.assertReplayed();
  });

  test('a file removed while open keeps its content', async (t) => {
    const rig = await new Rig(t).start();
    await rig.ok('exec 3<>held; echo one >&3; rm held; echo two >&3; cat /proc/self/fd/3');
    const below = `/proc/self/fd/${rig.sourceFd}`;
    await waitFor('the hidden name is gone', () => readdirSync(below).length === 1);
    await rig.assertReplayed();
  });

  test('a fresh binding epoch binds every ref again', async (t) => {
    const rig = await new Rig(t).start();
    await rig.ok('mkdir d; echo 1 > d/f');
    rig.engine.setStream('off');
    const before = rig.changes.length;
    await rig.ok('echo 2 > d/f');
    assert.equal(rig.changes.length, before, 'nobody is told while off');
    rig.engine.setStream('on');
    await rig.ok('echo 3 > d/f');
    const kinds = rig.changes.slice(before).map(({ op }) => op.kind);
    assert.deepEqual(kinds.slice(0, 2), ['bind', 'bind']);
  });

  test('while tracking, marks name what changed', async (t) => {
    const rig = await new Rig(t).start();
    await rig.ok('mkdir d; echo 1 > d/f');
    rig.engine.setStream('track');
    await rig.ok('echo 2 >> d/f; chmod 600 old; echo n > d/new');
    const marks = rig.engine.takeMarks().map((mark) => ({
      path: rig.engine.pathOf(mark.ref)?.toString(),
      data: mark.data,
      entries: mark.entries,
    }));
    const of = (path: string): unknown => marks.find((mark) => mark.path === path);
    assert.deepEqual(of('d/f'), { path: 'd/f', data: true, entries: false });
    assert.deepEqual(of('d'), { path: 'd', data: false, entries: true });
    assert.deepEqual(of('old'), { path: 'old', data: false, entries: false });
    assert.deepEqual(rig.engine.takeMarks(), []);
  });

  test('a closed gate holds changes, reads go on, and the fence refuses', async (t) => {
    const rig = await new Rig(t).start();
    await rig.ok('echo content > other');
    rig.engine.setGate(false);
    await rig.engine.quiesce();
    // The times of what was written before would come by themselves, and late.
    rig.engine.flushTimes();
    rig.changes.length = 0;
    const writer = rig.ok('echo held >> other');
    await waitFor('the writer waits', () => rig.gateWaits === 1);
    assert.equal(await rig.ok('cat old'), 'from before the mount\n');
    assert.equal(rig.changes.length, 0);
    rig.engine.setGate(true);
    await writer;
    assert.ok(rig.changes.length > 0);
    rig.engine.setReadOnly(true);
    const refused = await rig.shell('echo no > refused');
    assert.match(refused.out, /Read-only file system/);
  });

  test('a caller waits for its token, and gets its errno', async (t) => {
    const rig = await new Rig(t).start();
    rig.answers = false;
    let answered = false;
    const writer = rig.shell('mkdir waits').then((result) => {
      answered = true;
      return result;
    });
    await waitFor('the op is there', () => rig.changes.some(({ op }) => op.kind === 'create'));
    assert.equal(answered, false);
    assert.equal(rig.engine.counters().pendingAnswers, 1);
    const tokens = rig.changes.map((change) => change.token).filter((token) => token !== 0);
    rig.engine.complete(tokens, 5);
    assert.match((await writer).out, /Input\/output error/);
  });

  test('sync answers wait for the local disk too', async (t) => {
    const rig = await new Rig(t).start();
    rig.engine.setAnswer({ by: 'stream', syncData: true });
    await rig.ok('for i in 1 2 3; do echo $i > s$i & done; wait; cat s1 s2 s3; truncate -s 1 s1');
    rig.engine.setAnswer({ by: 'local', syncData: true });
    await rig.ok('echo alone > s4');
    assert.equal(rig.engine.counters().pendingAnswers, 0);
    await rig.assertReplayed();
  });

  test('names that are not UTF-8 are refused', async (t) => {
    const rig = await new Rig(t).start();
    const { out } = await rig.shell(`touch $'bad\\xff'`);
    assert.match(out, /Invalid or incomplete multibyte/);
    assert.equal(rig.changes.length, 0);
  });

  test('what is not supported is said at mount time', async (t) => {
    const rig = await new Rig(t).start();
    assert.equal(rig.said.length, PORTABLE_LIMITS.length);
  });

  test("someone else's umount is noticed", async (t) => {
    const rig = await new Rig(t).start();
    await rig.shell('cd /; umount -l "$DIR"');
    await waitFor('the engine says so', () => rig.ended === 1);
    assert.equal(readFileSync(join(rig.dir, 'old'), 'utf8'), 'from before the mount\n');
    assert.equal(readlinkSync(`/proc/self/fd/${rig.sourceFd}`), rig.dir);
  });
});
