/**
 * The portable engine under plain shell tools: what they see on the mount, and whether the ops handed over
 * make an equal tree elsewhere (they are replayed here with node:fs, in order, as a secondary would).
 */
import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Change, EngineEvents } from '../../src/engine/engine.js';
import { FuseNativeEngine, PORTABLE_LIMITS } from '../../src/engine/fuse-native.js';
import type { Op } from '../../src/op/op.js';

const PREFIX = 'twinfs-portable-';
const O_PATH = 0o10000000;
const DEADLINE_MS = 20_000;

interface Rig {
  readonly dir: string;
  readonly copy: string;
  readonly engine: FuseNativeEngine;
  readonly changes: Change[];
  readonly said: string[];
  gateWaits: number;
  ended: number;
  answer: boolean;
}

let rig: Rig;
let root: string;
let sourceFd: number;

function cleanLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const dir = join(tmpdir(), name, 'dir');
    try {
      execFileSync('umount', ['-l', dir], { stdio: 'ignore' });
    } catch {
      // Not mounted.
    }
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

beforeEach(async () => {
  cleanLeftovers();
  root = mkdtempSync(join(tmpdir(), PREFIX));
  const dir = join(root, 'dir');
  const copy = join(root, 'copy');
  mkdirSync(dir);
  mkdirSync(copy);
  writeFileSync(join(dir, 'old'), 'from before the mount\n');
  execFileSync('cp', ['-a', join(dir, 'old'), join(copy, 'old')]);
  sourceFd = openSync(dir, O_PATH | constants.O_DIRECTORY);
  const said: string[] = [];
  const engine = new FuseNativeEngine((text) => said.push(text));
  rig = { dir, copy, engine, changes: [], said, gateWaits: 0, ended: 0, answer: true };
  const events: EngineEvents = {
    changes: (batch) => {
      rig.changes.push(...batch);
      engine.credit(batch.reduce((sum, change) => sum + change.bytes, 0));
      const tokens = batch.map((change) => change.token).filter((token) => token !== 0);
      if (rig.answer) engine.complete(tokens, 0);
    },
    waitingAtGate: () => void (rig.gateWaits += 1),
    localSyncFailed: (errno) => assert.fail(`local sync failed: ${errno}`),
    ended: () => void (rig.ended += 1),
  };
  await engine.mount(
    {
      sourceFd,
      mountpoint: Buffer.from(dir),
      fsname: 'twinfs-test',
      workers: 1,
      handoffBytesMax: 1 << 20,
      writebackCache: false,
    },
    events,
  );
  engine.setStream('on');
  engine.setAnswer({ by: 'stream', syncData: false });
  engine.setGate(true);
});

afterEach(async () => {
  if (rig.ended === 0) await rig.engine.unmount(true);
  closeSync(sourceFd);
  cleanLeftovers();
});

/** Runs a shell script in the mount without blocking the event loop, which answers it. */
function shell(script: string, cwd = rig.dir): Promise<{ code: number | null; out: string }> {
  const child = spawn('bash', ['-ec', script], { cwd: '/', env: { ...process.env, DIR: cwd } });
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

async function ok(script: string): Promise<string> {
  const { code, out } = await shell(`cd "$DIR"; ${script}`);
  assert.equal(code, 0, `${script}\n${out}`);
  return out;
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!isTrue()) {
    assert.ok(Date.now() < end, `in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Applies the ops to a directory: refs by path, as the stream's bindings say. */
class Replay {
  readonly #paths = new Map<number, string>();

  constructor(directory: string) {
    this.#paths.set(1, directory);
  }

  apply(op: Op): void {
    switch (op.kind) {
      case 'bind':
        this.#paths.set(op.ref, this.#in(op.parent, op.name));
        assert.ok(existsSync(this.#path(op.ref)), `bound to an entry: ${this.#path(op.ref)}`);
        break;
      case 'forget':
        assert.ok(this.#paths.delete(op.ref), 'only bound refs are forgotten');
        break;
      case 'create':
        this.#create(op);
        break;
      case 'link':
        linkSync(this.#path(op.ref), this.#in(op.parent, op.name));
        break;
      case 'unlink':
        this.#unlink(op);
        break;
      case 'rename':
        this.#rename(op);
        break;
      default:
        this.#content(op);
    }
  }

  #content(op: Op): void {
    switch (op.kind) {
      case 'write': {
        const fd = openSync(this.#path(op.ref), 'r+');
        writeSync(fd, op.data, 0, op.data.length, op.offset);
        closeSync(fd);
        break;
      }
      case 'truncate':
        truncateSync(this.#path(op.ref), op.size);
        break;
      case 'setattr':
        lchownSync(this.#path(op.ref), op.uid, op.gid);
        chmodSync(this.#path(op.ref), op.mode & 0o7777);
        break;
      case 'times':
        this.#times(this.#path(op.ref), op.mtime, op.atime);
        break;
      case 'setxattr': {
        const value = `0x${op.value.toString('hex')}`;
        const args = ['-h', '-n', op.name.toString(), '-v', value, this.#path(op.ref)];
        execFileSync('setfattr', args);
        break;
      }
      case 'removexattr':
        execFileSync('setfattr', ['-h', '-x', op.name.toString(), this.#path(op.ref)]);
        break;
      default:
        assert.equal(op.kind, 'fsync');
    }
  }

  #create(op: Op & { kind: 'create' }): void {
    const path = this.#in(op.parent, op.name);
    const type = op.mode & constants.S_IFMT;
    if (type === constants.S_IFDIR) mkdirSync(path);
    else if (type === constants.S_IFLNK) symlinkSync(op.target, path);
    else writeFileSync(path, '', { flag: 'wx' });
    lchownSync(path, op.uid, op.gid);
    if (type !== constants.S_IFLNK) chmodSync(path, op.mode & 0o7777);
    this.#paths.set(op.ref, path);
  }

  #unlink(op: Op & { kind: 'unlink' }): void {
    const path = this.#in(op.parent, op.name);
    if (op.directory) rmdirSync(path);
    else this.#keepOther(path, () => unlinkSync(path));
  }

  #rename(op: Op & { kind: 'rename' }): void {
    const from = this.#in(op.parent, op.name);
    const to = this.#in(op.newParent, op.newName);
    renameSync(from, to);
    for (const [ref, path] of this.#paths) {
      if (path === from || path.startsWith(`${from}/`))
        this.#paths.set(ref, to + path.slice(from.length));
    }
  }

  /** A ref whose path goes away is known by another hard link, if there is one. */
  #keepOther(path: string, remove: () => void): void {
    const { ino } = lstatSync(path);
    remove();
    for (const [ref, known] of this.#paths) {
      if (known !== path) continue;
      const found = execFileSync('find', [this.#path(1), '-inum', String(ino)])
        .toString()
        .trim();
      if (found !== '') this.#paths.set(ref, found.split('\n')[0] ?? known);
    }
  }

  /** By touch(1): node's own call takes seconds as a double. */
  #times(path: string, mtime: bigint, atime: bigint | null): void {
    const text = `@${mtime / 1_000_000_000n}.${(mtime % 1_000_000_000n).toString().padStart(9, '0')}`;
    execFileSync('touch', ['-h', '-m', '-d', text, path]);
    if (atime !== null) lutimesSync(path, Number(atime) / 1e9, Number(mtime) / 1e9);
    if (atime !== null) execFileSync('touch', ['-h', '-m', '-d', text, path]);
  }

  #path(ref: number): string {
    const path = this.#paths.get(ref);
    assert.ok(path !== undefined, `ref ${ref} is bound before its use`);
    return path;
  }

  #in(parent: number, name: Buffer): string {
    return join(this.#path(parent), name.toString());
  }
}

/** Everything about a tree that both nodes must agree on. */
function describe(directory: string): string {
  const tree = execFileSync('find', ['.', '-printf', '%P %y %m %U %G %n %T@ %l\n'], {
    cwd: directory,
  });
  const lines = tree.toString().split('\n').sort();
  const files = execFileSync('bash', [
    '-c',
    `cd "${directory}" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum; getfattr -R -h -d -m '^user' . 2>/dev/null`,
  ]);
  return `${lines.join('\n')}\n${files.toString()}`;
}

/**
 * The copy made from the ops equals the data. Looked at without the mount: a tool that walks by ".." would
 * cross into it, and wait for this process, which waits for the tool.
 */
async function assertReplayed(): Promise<void> {
  rig.engine.flushTimes();
  await rig.engine.unmount(false);
  const replay = new Replay(rig.copy);
  for (const { op } of rig.changes) replay.apply(op);
  assert.equal(describe(rig.copy), describe(rig.dir));
}

test('plain tools work, and the ops make an equal tree', async () => {
  assert.equal(await ok('cat old'), 'from before the mount\n');
  await ok('mkdir -p a/b/c; echo hello > a/b/file; echo more >> a/b/file; cat a/b/file');
  assert.equal(await ok('cat a/b/file'), 'hello\nmore\n');
  await ok(
    'head -c 700000 /dev/urandom > a/big; dd if=/dev/zero of=a/big bs=1 seek=5 count=9 conv=notrunc',
  );
  await ok('ln -s b/file a/link; ln a/big a/hard; chmod 751 a/b; chmod u+s a/b/file');
  await ok('mv a moved; mkdir x; mv moved/b x/; echo deep > x/b/c/deep; truncate -s 3 x/b/file');
  await ok('echo new > n; mv n old; rm moved/hard; rmdir x/b/c 2>/dev/null || rm -r x/b/c');
  await ok('chown 12:34 old; touch -d "2001-02-03 04:05:06.789" old');
  await ok(
    'setfattr -n user.colour -v blue old; setfattr -n user.gone -v 1 old; setfattr -x user.gone old',
  );
  assert.equal(await ok('getfattr --only-values -n user.colour old'), 'blue');
  await ok('sync old; cp -a x y; sync x');
  assert.equal(await ok('readlink moved/link'), 'b/file\n');
  await assertReplayed();
});

test('an archive and a repository arrive whole', async () => {
  await ok('mkdir t; cd t; for i in $(seq 40); do mkdir d$i; echo $i > d$i/f; done');
  await ok('tar cf t.tar t; mkdir u; tar xf t.tar -C u; diff -r t u/t; rm -r t');
  await ok(
    'git init -q r; cd r; git config user.email a@b; git config user.name a; cp -r ../u .; git add .; git commit -q -m one; git gc -q; git fsck',
  );
  await assertReplayed();
});

test('a file removed while open keeps its content', async () => {
  await ok('exec 3<>held; echo one >&3; rm held; echo two >&3; cat /proc/self/fd/3');
  const below = `/proc/self/fd/${sourceFd}`;
  await until('the hidden name is gone', () => readdirSync(below).length === 1);
  await assertReplayed();
});

test('a fresh binding epoch binds every ref again', async () => {
  await ok('mkdir d; echo 1 > d/f');
  rig.engine.setStream('off');
  const before = rig.changes.length;
  await ok('echo 2 > d/f');
  assert.equal(rig.changes.length, before, 'nobody is told while off');
  rig.engine.setStream('on');
  await ok('echo 3 > d/f');
  const kinds = rig.changes.slice(before).map(({ op }) => op.kind);
  assert.deepEqual(kinds.slice(0, 2), ['bind', 'bind']);
});

test('while tracking, marks name what changed', async () => {
  await ok('mkdir d; echo 1 > d/f');
  rig.engine.setStream('track');
  await ok('echo 2 >> d/f; chmod 600 old; echo n > d/new');
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

test('a closed gate holds changes, reads go on, and the fence refuses', async () => {
  await ok('echo content > other');
  rig.changes.length = 0;
  rig.engine.setGate(false);
  await rig.engine.quiesce();
  const writer = ok('echo held >> other');
  await until('the writer waits', () => rig.gateWaits === 1);
  assert.equal(await ok('cat old'), 'from before the mount\n');
  assert.equal(rig.changes.length, 0);
  rig.engine.setGate(true);
  await writer;
  assert.ok(rig.changes.length > 0);
  rig.engine.setReadOnly(true);
  const refused = await shell('cd "$DIR"; echo no > refused');
  assert.match(refused.out, /Read-only file system/);
});

test('a caller waits for its token, and gets its errno', async () => {
  rig.answer = false;
  let answered = false;
  const writer = shell('cd "$DIR"; mkdir waits').then((result) => {
    answered = true;
    return result;
  });
  await until('the op is there', () => rig.changes.some(({ op }) => op.kind === 'create'));
  assert.equal(answered, false);
  assert.equal(rig.engine.counters().pendingAnswers, 1);
  const tokens = rig.changes.map((change) => change.token).filter((token) => token !== 0);
  rig.engine.complete(tokens, 5);
  assert.match((await writer).out, /Input\/output error/);
});

test('sync answers wait for the local disk too', async () => {
  rig.engine.setAnswer({ by: 'stream', syncData: true });
  await ok('for i in 1 2 3; do echo $i > s$i & done; wait; cat s1 s2 s3; truncate -s 1 s1');
  rig.engine.setAnswer({ by: 'local', syncData: true });
  await ok('echo alone > s4');
  assert.equal(rig.engine.counters().pendingAnswers, 0);
  await assertReplayed();
});

test('names that are not UTF-8 are refused', async () => {
  const { out } = await shell(`cd "$DIR"; touch $'bad\\xff'`);
  assert.match(out, /Invalid or incomplete multibyte/);
  assert.equal(rig.changes.length, 0);
});

test('what is not supported is said at mount time', () => {
  assert.equal(rig.said.length, PORTABLE_LIMITS.length);
});

test("someone else's umount is noticed", async () => {
  await shell('umount -l "$DIR"');
  await until('the engine says so', () => rig.ended === 1);
  assert.equal(readFileSync(join(rig.dir, 'old'), 'utf8'), 'from before the mount\n');
  assert.equal(readlinkSync(`/proc/self/fd/${sourceFd}`), rig.dir);
});
