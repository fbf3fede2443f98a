/**
 * Requests of the portable engine that change names: create, mkdir, symlink, link, unlink, rmdir,
 * rename. Each takes the nodes it needs before the change (afterwards their names may lead
 * elsewhere), applies it, brings the node table up to date and hands the op over, all in one turn
 * of the event loop.
 */
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Op } from '../op/op.js';
import type { PortableCommit } from './portable-commit.js';
import type { PortableHandles } from './portable-handles.js';
import { ErrnoError, errnoOf, type FuseOperations, type FuseReply } from './portable-library.js';
import { splitPath, type PortableNode, type PortableNodes } from './portable-nodes.js';
import { checkName } from './portable-reads.js';
import type { PortableStream } from './portable-stream.js';

export interface ChangeContext {
  readonly nodes: PortableNodes;
  readonly handles: PortableHandles;
  readonly stream: PortableStream;
  readonly commit: PortableCommit;
}

type Names = Pick<
  FuseOperations,
  'create' | 'mknod' | 'mkdir' | 'symlink' | 'link' | 'unlink' | 'rmdir' | 'rename'
>;

const { EOPNOTSUPP, ENOENT } = osConstants.errno;
const TYPE_BITS = 0o170000;
const REGULAR = 0o100000;
const PERMISSIONS = 0o777;

export class PortableNames implements Names {
  readonly #nodes: PortableNodes;
  readonly #handles: PortableHandles;
  readonly #stream: PortableStream;
  readonly #commit: PortableCommit;

  constructor(context: ChangeContext) {
    this.#nodes = context.nodes;
    this.#handles = context.handles;
    this.#stream = context.stream;
    this.#commit = context.commit;
  }

  create(path: string, mode: number, reply: FuseReply<number>): void {
    this.#admit(reply, [path], () => {
      const existed = this.#exists(path);
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const fd = this.#handles.add(openSync(this.#nodes.source(path), flags, mode), path);
      if (existed) reply(0, fd);
      else this.#born(path, mode, reply, fd);
    });
  }

  mknod(path: string, mode: number, _rdev: number, reply: FuseReply): void {
    this.#admit(reply, [path], () => {
      const type = mode & TYPE_BITS;
      if (type !== REGULAR && type !== 0) throw new ErrnoError(EOPNOTSUPP);
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      closeSync(openSync(this.#nodes.source(path), flags, mode));
      this.#born(path, mode, reply);
    });
  }

  mkdir(path: string, mode: number, reply: FuseReply): void {
    this.#admit(reply, [path], () => {
      mkdirSync(this.#nodes.source(path), mode);
      this.#born(path, mode, reply);
    });
  }

  symlink(target: string, path: string, reply: FuseReply): void {
    this.#admit(reply, [path, target], () => {
      symlinkSync(target, this.#nodes.source(path));
      this.#born(path, null, reply, 0, Buffer.from(target));
    });
  }

  link(from: string, to: string, reply: FuseReply): void {
    this.#admit(reply, [from, to], () => {
      const { parent, name } = splitPath(to);
      const told = this.#stream.isTold;
      const node = told ? this.#nodes.of(from) : this.#nodes.find(from);
      linkSync(this.#nodes.source(from), this.#nodes.source(to));
      this.#commit.namesChanged(parent);
      if (!told || node === null) {
        if (node !== null) this.#nodes.named(node, to);
        this.#finish(null, [], reply);
        return;
      }
      const parentNode = this.#nodes.of(parent);
      const op: Op = {
        kind: 'link',
        ref: node.ref,
        parent: parentNode.ref,
        name: Buffer.from(name),
      };
      this.#finish(op, [node, parentNode], reply);
      this.#nodes.named(node, to);
      this.#stream.touch(parentNode);
    });
  }

  unlink(path: string, reply: FuseReply): void {
    this.#remove(path, reply, false);
  }

  rmdir(path: string, reply: FuseReply): void {
    this.#remove(path, reply, true);
  }

  rename(from: string, to: string, reply: FuseReply): void {
    this.#admit(reply, [from, to], () => {
      const source = splitPath(from);
      const target = splitPath(to);
      const told = this.#stream.isTold;
      const moving = told ? this.#nodes.of(from) : this.#nodes.find(from);
      const replaced = this.#exists(to) ? this.#nodes.find(to) : null;
      const isSame = this.#isSame(from, to);
      const parents = told ? [this.#nodes.of(source.parent), this.#nodes.of(target.parent)] : [];
      renameSync(this.#nodes.source(from), this.#nodes.source(to));
      this.#commit.namesChanged(source.parent);
      this.#commit.namesChanged(target.parent);
      // Two names of one inode: rename(2) does nothing then, and nothing is told.
      if (isSame) {
        this.#finish(null, [], reply);
        return;
      }
      this.#commit.moved(from, to);
      this.#tellRename(source.name, target.name, parents, reply);
      if (replaced !== null) this.#unname(replaced, to);
      if (moving !== null) {
        this.#nodes.unnamed(moving, from);
        this.#nodes.named(moving, to);
        this.#stream.moved(moving);
        this.#stream.touch(...parents, moving);
      }
    });
  }

  #tellRename(
    name: string,
    newName: string,
    parents: readonly PortableNode[],
    reply: FuseReply,
  ): void {
    const [parent, newParent] = parents;
    if (parent === undefined || newParent === undefined) {
      this.#finish(null, [], reply);
      return;
    }
    const op: Op = {
      kind: 'rename',
      parent: parent.ref,
      name: Buffer.from(name),
      newParent: newParent.ref,
      newName: Buffer.from(newName),
      flags: 0,
    };
    this.#finish(op, parents, reply);
  }

  #remove(path: string, reply: FuseReply, directory: boolean): void {
    this.#admit(reply, [path], () => {
      const { parent, name } = splitPath(path);
      const node = this.#nodes.find(path);
      const source = this.#nodes.source(path);
      if (directory) rmdirSync(source);
      else unlinkSync(source);
      this.#commit.namesChanged(parent);
      if (!this.#stream.isTold) this.#finish(null, [], reply);
      else {
        const parentNode = this.#nodes.of(parent);
        const op: Op = {
          kind: 'unlink',
          parent: parentNode.ref,
          name: Buffer.from(name),
          directory,
        };
        this.#finish(op, [parentNode], reply);
        this.#stream.touch(parentNode);
      }
      if (node !== null) this.#unname(node, path);
    });
  }

  #unname(node: PortableNode, path: string): void {
    if (!this.#nodes.unnamed(node, path)) this.#stream.moved(node);
    else if (node.opens === 0) this.#stream.drop(node);
  }

  /** An entry is there since this moment: told with the mode, owner and group it has. */
  #born(
    path: string,
    mode: number | null,
    reply: FuseReply<number>,
    fd = 0,
    target: Buffer = Buffer.alloc(0),
  ): void {
    const { parent, name } = splitPath(path);
    if (mode !== null) this.#applyMode(path, mode);
    this.#commit.namesChanged(parent);
    if (!this.#stream.isTold) {
      this.#finish(null, [], reply, fd);
      return;
    }
    this.#stream.trim();
    const parentNode = this.#nodes.of(parent);
    const { node, stale } = this.#nodes.born(path);
    if (stale !== null) this.#stream.drop(stale);
    if (fd !== 0) this.#handles.pin(this.#handles.get(fd), node);
    const stat = this.#nodes.stat(path);
    const op: Op = {
      kind: 'create',
      ref: node.ref,
      parent: parentNode.ref,
      name: Buffer.from(name),
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      rdev: 0,
      target,
    };
    this.#finish(op, [parentNode], reply, fd);
    this.#stream.touch(parentNode, node);
  }

  /**
   * The kernel has applied the caller's umask; ours must not come on top. A setgid bit inherited
   * stays.
   */
  #applyMode(path: string, mode: number): void {
    const has = Number(this.#nodes.stat(path).mode);
    if ((has & PERMISSIONS) === (mode & PERMISSIONS)) return;
    chmodSync(this.#nodes.source(path), (has & 0o7000) | (mode & 0o7777));
  }

  #exists(path: string): boolean {
    try {
      this.#nodes.stat(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === ENOENT) return false;
      throw error;
    }
  }

  #isSame(from: string, to: string): boolean {
    if (!this.#exists(to)) return false;
    const [one, other] = [this.#nodes.stat(from), this.#nodes.stat(to)];
    return one.ino === other.ino && one.dev === other.dev;
  }

  #admit(reply: FuseReply<number>, names: readonly string[], apply: () => void): void {
    this.#stream.admit(reply, () => {
      for (const name of names) checkName(name);
      apply();
    });
  }

  #finish(op: Op | null, uses: readonly PortableNode[], reply: FuseReply<number>, fd = 0): void {
    const answer = (): void => (fd === 0 ? reply(0) : reply(0, fd));
    this.#stream.finish(op, uses, answer, (errno) => reply(-errno), null);
  }
}
