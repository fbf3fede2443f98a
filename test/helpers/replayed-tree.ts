/**
 * Applies ops to a directory with Node's own calls, in order, as a secondary would: refs by path,
 * as the stream's bindings say. Asserts on the way that refs are bound before their use.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Op } from '../../src/op/op.js';

/** One directory and the refs that the stream has bound in it. */
export class ReplayedTree {
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
