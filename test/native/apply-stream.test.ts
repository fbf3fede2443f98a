/**
 * The apply loop and the applier together, on a real directory and real time: a random stream of
 * changes, made here with Node's own calls and there through ops, must leave two equal trees.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MODES } from '../../src/core/types.js';
import type { Mode } from '../../src/core/types.js';
import { native } from '../../src/io/native.js';
import { systemClock, systemTimers } from '../../src/io/system-clock.js';
import type { Op } from '../../src/op/op.js';
import { ApplyLoop } from '../../src/secondary/apply-loop.js';
import type { AckMessage } from '../../src/wire/messages.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';
import { waitFor } from '../helpers/wait-for.js';
import { applierOn } from './applied-tree.js';
import type { AppliedTree } from './applied-tree.js';

const skip = missing({ root: true, addon: true });
const NONE = Buffer.alloc(0);

/** Same numbers for the same seed, so that a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Makes changes in `root` and the ops for them, as a primary would. */
class Writer {
  readonly #root: string;
  readonly #random: (below: number) => number;
  readonly #refs = new Map<number, number>([[1, 1]]);
  #nextRef = 2;
  #nextName = 0;
  ops: Op[] = [];

  constructor(root: string, seed: number) {
    this.#root = root;
    this.#random = numbers(seed);
    this.#refs.set(fs.lstatSync(root).ino, 1);
  }

  step(): void {
    const directory = this.#pick((stat) => stat.isDirectory());
    const file = this.#pick((stat) => stat.isFile());
    const any = this.#pick(() => true);
    const kinds = [
      () => this.#create(directory),
      () => this.#create(directory),
      () => file !== '' && this.#write(file),
      () => file !== '' && this.#write(file),
      () => file !== '' && this.#link(file, directory),
      () => any !== '' && this.#rename(any, directory),
      () => any !== '' && this.#remove(any),
      () => any !== '' && this.#attributes(any),
    ];
    kinds[this.#random(kinds.length)]?.();
    if (this.#random(20) === 0) this.#forgetAll();
  }

  /** Times as the primary would send them in the end. */
  finish(): void {
    for (const path of ['', ...this.#paths()]) {
      const { mtimeNs: mtime } = fs.lstatSync(join(this.#root, path), { bigint: true });
      this.ops.push({ kind: 'times', ref: this.#ref(path), mtime, atime: null });
    }
  }

  #create(directory: string): void {
    const name = this.#newName();
    const path = join(directory, name);
    const full = join(this.#root, path);
    const type = this.#random(4);
    if (type === 0) fs.mkdirSync(full);
    else if (type === 1) fs.symlinkSync(`to/${name}`, full);
    else fs.writeFileSync(full, '', { mode: 0o600 + this.#random(64) });
    fs.lchownSync(full, this.#random(5), this.#random(5));
    const { mode, uid, gid, ino } = fs.lstatSync(full);
    const target = type === 1 ? Buffer.from(`to/${name}`) : NONE;
    const parent = this.#ref(directory);
    const ref = this.#nextRef++;
    this.#refs.set(ino, ref);
    const made = { ref, parent, name: Buffer.from(name), mode, uid, gid, rdev: 0, target };
    this.ops.push({ kind: 'create', ...made });
  }

  #write(path: string): void {
    const offset = this.#random(100_000);
    const data = Buffer.alloc(1 + this.#random(20_000), 1 + this.#random(255));
    const ref = this.#ref(path);
    const fd = fs.openSync(join(this.#root, path), 'r+');
    fs.writeSync(fd, data, 0, data.length, offset);
    this.ops.push({ kind: 'write', ref, offset, data, killPriv: false });
    if (this.#random(4) === 0) {
      const size = this.#random(50_000);
      fs.ftruncateSync(fd, size);
      this.ops.push({ kind: 'truncate', ref, size, killPriv: false });
    }
    if (this.#random(4) === 0) this.ops.push({ kind: 'fsync', ref, dataOnly: true });
    fs.closeSync(fd);
  }

  #link(path: string, directory: string): void {
    const name = this.#newName();
    const op = { ref: this.#ref(path), parent: this.#ref(directory), name: Buffer.from(name) };
    fs.linkSync(join(this.#root, path), join(this.#root, directory, name));
    this.ops.push({ kind: 'link', ...op });
  }

  #rename(path: string, directory: string): void {
    const { parent, name } = this.#place(path);
    // Over an existing name now and then.
    const over = this.#random(2) === 0 ? this.#pick((stat) => stat.isFile()) : '';
    const to = over === '' ? join(directory, this.#newName()) : over;
    const isFile = fs.lstatSync(join(this.#root, path)).isFile();
    if (`${to}/`.startsWith(`${path}/`) || (over !== '' && !isFile)) return;
    const place = this.#place(to);
    fs.renameSync(join(this.#root, path), join(this.#root, to));
    const target = { newParent: place.parent, newName: place.name };
    this.ops.push({ kind: 'rename', parent, name, ...target, flags: 0 });
  }

  #remove(path: string): void {
    const full = join(this.#root, path);
    const directory = fs.lstatSync(full).isDirectory();
    if (directory && fs.readdirSync(full).length > 0) return;
    const { parent, name } = this.#place(path);
    const { ino, nlink } = fs.lstatSync(full);
    const ref = this.#refs.get(ino);
    if (directory) fs.rmdirSync(full);
    else fs.unlinkSync(full);
    this.ops.push({ kind: 'unlink', parent, name, directory });
    if (ref === undefined || (nlink > 1 && !directory)) return;
    this.#refs.delete(ino);
    // Still open at the primary for a while.
    if (!directory) this.ops.push({ kind: 'times', ref, mtime: 1n, atime: null });
    this.ops.push({ kind: 'forget', ref });
  }

  #attributes(path: string): void {
    const full = join(this.#root, path);
    const ref = this.#ref(path);
    fs.lchownSync(full, this.#random(9), this.#random(9));
    if (!fs.lstatSync(full).isSymbolicLink()) fs.chmodSync(full, 0o400 + this.#random(0o7777));
    const { mode, uid, gid } = fs.lstatSync(full);
    this.ops.push({ kind: 'setattr', ref, mode, uid, gid });
    const value = Buffer.from(String(this.#random(1000)));
    const fd = native().open(Buffer.from(full), 0o10000000 | fs.constants.O_NOFOLLOW, 0);
    native().setXattr(fd, 'trusted.test', value);
    native().close(fd);
    this.ops.push({ kind: 'setxattr', ref, name: Buffer.from('trusted.test'), value, flags: 0 });
  }

  #forgetAll(): void {
    for (const [ino, ref] of this.#refs) {
      if (ref === 1 || this.#random(2) === 0) continue;
      this.#refs.delete(ino);
      this.ops.push({ kind: 'forget', ref });
    }
  }

  /** The ref of a path, bound first where it is not. */
  #ref(path: string): number {
    if (path === '') return 1;
    const { ino } = fs.lstatSync(join(this.#root, path));
    const known = this.#refs.get(ino);
    if (known !== undefined) return known;
    const place = this.#place(path);
    const ref = this.#nextRef++;
    this.#refs.set(ino, ref);
    this.ops.push({ kind: 'bind', ref, ...place });
    return ref;
  }

  #place(path: string): { parent: number; name: Buffer } {
    const slash = path.lastIndexOf('/');
    const parent = this.#ref(slash < 0 ? '' : path.slice(0, slash));
    return { parent, name: Buffer.from(path.slice(slash + 1)) };
  }

  #paths(): string[] {
    return fs.readdirSync(this.#root, { recursive: true, encoding: 'utf8' });
  }

  /** Some path that fits, '' (the root) when there is none. */
  #pick(fits: (stat: fs.Stats) => boolean): string {
    const all = this.#paths().filter((path) => fits(fs.lstatSync(join(this.#root, path))));
    return all[this.#random(all.length + 1)] ?? '';
  }

  #newName(): string {
    return `n${this.#nextName++}`;
  }
}

interface Running {
  readonly loop: ApplyLoop;
  readonly acks: AckMessage[];
  readonly problems: string[];
}

function startLoop(tree: AppliedTree, mode: Mode): Running {
  const acks: AckMessage[] = [];
  const problems: string[] = [];
  const loop = new ApplyLoop(
    {
      applier: tree.applier,
      clock: systemClock,
      timers: systemTimers,
      space: () => native().space(tree.rootFd),
    },
    {
      ack: (ack) => void acks.push(ack),
      pause: () => undefined,
      resume: () => undefined,
      barrier: () => Promise.resolve(),
      failed: ({ text }) => void problems.push(text),
      syncFailed: (errno) => void problems.push(`sync: ${errno}`),
    },
    { mode },
  );
  return { loop, acks, problems };
}

for (const mode of MODES) {
  test(`a random stream leaves equal trees (${mode})`, { skip }, async (context) => {
    const base = tempDir(context, 'stream');
    fs.mkdirSync(join(base, 'a'));
    fs.mkdirSync(join(base, 'b'));
    const seed = Number(process.env['TWINFS_SEED'] ?? Date.now() % 100_000);
    context.diagnostic(`seed ${seed}`);
    const { loop, acks, problems } = startLoop(applierOn(context, join(base, 'b')), mode);
    const writer = new Writer(join(base, 'a'), seed);
    let firstSeq = 1;
    const send = (): void => {
      const ops = writer.ops.splice(0);
      if (ops.length === 0) return;
      loop.receive({ type: 'ops', firstSeq, ops });
      firstSeq += ops.length;
    };
    for (let round = 0; round < 400; round++) {
      writer.step();
      if (round % 7 === 0) send();
      if (round % 50 === 0) await loop.drain();
    }
    writer.finish();
    writer.ops.push({ kind: 'barrier', why: 'flush', mode });
    send();
    await waitFor('the flush', () => problems.length > 0 || acks.at(-1)?.durable === firstSeq - 1);
    loop.close();
    assert.deepEqual(problems, []);
    assert.deepEqual(findDifferences(join(base, 'a'), join(base, 'b')), []);
    for (const { received, applied, durable } of acks) {
      assert.ok(durable <= applied && applied <= received);
    }
  });
}

test('a full disk ends the loop with the op that did not fit', { skip }, async (context) => {
  const base = tempDir(context, 'full');
  fs.mkdirSync(join(base, 'root'));
  const { spawnSync } = await import('node:child_process');
  const at = join(base, 'root');
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', at]).status, 0);
  const tree = applierOn(context, at);
  const { loop, acks, problems } = startLoop(tree, 'semi-sync');
  tree.create(2, 1, 'f');
  const data = Buffer.alloc(400_000, 1);
  const write = (offset: number): Op => ({ kind: 'write', ref: 2, offset, data, killPriv: false });
  loop.receive({ type: 'ops', firstSeq: 1, ops: [0, 1, 2, 3].map((n) => write(n * 400_000)) });
  await waitFor('the failure', () => problems.length > 0);
  assert.deepEqual(problems, ['write of 400000 bytes at 800000 (ref 2): ENOSPC']);
  assert.deepEqual(
    acks.map(({ received }) => received).at(-1),
    2,
    'no receipt for what may not fit',
  );
  assert.equal(acks.at(-1)?.failed?.seq, 3);
});
