/**
 * A directory that changes the way the engine changes it in `track`: each change is applied, then
 * leaves the marks that engine.ts promises. Stands in for a mount, so that a resync can be tested
 * without one.
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Mark } from '../../src/engine/engine.js';
import type { MarkFeed } from '../../src/resync/seam.js';

interface Name {
  readonly parent: Node;
  readonly name: string;
}

interface Node {
  readonly ref: number;
  /** null: not a directory. */
  readonly children: Map<string, Node> | null;
  names: Name[];
  marks: { data: boolean; attributes: boolean; entries: boolean } | null;
}

type Bits = Partial<NonNullable<Node['marks']>>;

export class MarkedTree implements MarkFeed {
  readonly root: string;
  readonly #nodes = new Map<number, Node>();
  readonly #top: Node;
  #lastRef = 0;

  /** Knows everything that is below `root` now. */
  constructor(root: string) {
    this.root = root;
    this.#top = this.#scan(root, new Map());
  }

  takeMarks(): Mark[] {
    const taken: Mark[] = [];
    for (const node of this.#nodes.values()) {
      if (node.marks !== null) taken.push({ ref: node.ref, ...node.marks });
      node.marks = null;
    }
    return taken;
  }

  addMark({ ref, ...bits }: Mark): void {
    const node = this.#nodes.get(ref);
    if (node !== undefined) this.#mark(node, bits);
  }

  pathOf(ref: number): Buffer | null {
    const parts: string[] = [];
    for (let node = this.#nodes.get(ref); node !== this.#top;) {
      const name = node?.names[0];
      if (name === undefined) return null;
      parts.unshift(name.name);
      node = name.parent;
    }
    return Buffer.from(parts.join('/'));
  }

  /** Paths from the root of everything but the root itself. */
  paths(kind: 'directory' | 'file'): string[] {
    const found: string[] = [];
    const walk = (node: Node, path: string): void => {
      for (const [name, child] of node.children ?? []) {
        const below = path === '' ? name : `${path}/${name}`;
        if ((child.children !== null) === (kind === 'directory')) found.push(below);
        walk(child, below);
      }
    };
    walk(this.#top, '');
    return found;
  }

  has(path: string): boolean {
    return this.#find(path) !== null;
  }

  mkdir(path: string): void {
    fs.mkdirSync(this.#at(path));
    this.#born(path, new Map());
  }

  /** Writes, making the file when it is not there. */
  write(path: string, offset: number, data: Buffer): void {
    const known = this.has(path);
    const fd = fs.openSync(this.#at(path), fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o644);
    fs.writeSync(fd, data, 0, data.length, offset);
    fs.closeSync(fd);
    if (known) this.#mark(this.#get(path), { data: true });
    else this.#born(path, null);
  }

  truncate(path: string, size: number): void {
    fs.truncateSync(this.#at(path), size);
    this.#mark(this.#get(path), { data: true });
  }

  symlink(path: string, target: string): void {
    fs.symlinkSync(target, this.#at(path));
    this.#born(path, null);
  }

  link(from: string, to: string): void {
    fs.linkSync(this.#at(from), this.#at(to));
    const node = this.#get(from);
    for (const { parent } of node.names) this.#mark(parent, { entries: true });
    this.#adopt(node, to);
  }

  unlink(path: string): void {
    fs.unlinkSync(this.#at(path));
    this.#drop(path);
  }

  rmdir(path: string): void {
    fs.rmdirSync(this.#at(path));
    this.#drop(path);
  }

  /** rename(2), over what is there. */
  rename(from: string, to: string): void {
    const node = this.#get(from);
    const target = this.#find(to);
    fs.renameSync(this.#at(from), this.#at(to));
    // Two names of one inode: rename(2) does nothing.
    if (target === node) return;
    if (target !== null) this.#drop(to);
    this.#drop(from);
    this.#adopt(node, to);
    this.#mark(node, { data: true, attributes: true });
  }

  chmod(path: string, mode: number): void {
    fs.chmodSync(this.#at(path), mode);
    this.#mark(this.#get(path), { attributes: true });
  }

  chown(path: string, uid: number, gid: number): void {
    fs.lchownSync(this.#at(path), uid, gid);
    this.#mark(this.#get(path), { attributes: true });
  }

  utimes(path: string, seconds: number): void {
    fs.utimesSync(this.#at(path), seconds, seconds);
    this.#mark(this.#get(path), { attributes: true });
  }

  #at(path: string): string {
    return join(this.root, path);
  }

  #find(path: string): Node | null {
    let node: Node | undefined = this.#top;
    for (const name of path === '' ? [] : path.split('/')) node = node?.children?.get(name);
    return node ?? null;
  }

  #get(path: string): Node {
    const node = this.#find(path);
    if (node === null) throw new Error(`not in the marked tree: ${path}`);
    return node;
  }

  #parent(path: string): Node {
    const directory = dirname(path);
    return this.#get(directory === '.' ? '' : directory);
  }

  #node(children: Node['children']): Node {
    this.#lastRef += 1;
    const node: Node = { ref: this.#lastRef, children, names: [], marks: null };
    this.#nodes.set(node.ref, node);
    return node;
  }

  #born(path: string, children: Node['children']): void {
    const node = this.#node(children);
    this.#adopt(node, path);
    this.#mark(node, { data: true, attributes: true });
  }

  #adopt(node: Node, path: string): void {
    const parent = this.#parent(path);
    parent.children?.set(basename(path), node);
    node.names.push({ parent, name: basename(path) });
    this.#mark(parent, { entries: true });
  }

  #drop(path: string): void {
    const parent = this.#parent(path);
    const node = this.#get(path);
    parent.children?.delete(basename(path));
    node.names = node.names.filter((it) => it.parent !== parent || it.name !== basename(path));
    if (node.names.length > 0) this.#mark(node, { data: true, attributes: true });
    this.#mark(parent, { entries: true });
  }

  #mark(node: Node, bits: Bits): void {
    node.marks ??= { data: false, attributes: false, entries: false };
    Object.assign(node.marks, bits);
  }

  #scan(path: string, byInode: Map<bigint, Node>): Node {
    const stats = fs.lstatSync(path, { bigint: true });
    const known = byInode.get(stats.ino);
    if (known !== undefined) return known;
    const node = this.#node(stats.isDirectory() ? new Map() : null);
    byInode.set(stats.ino, node);
    for (const name of node.children === null ? [] : fs.readdirSync(path)) {
      const child = this.#scan(join(path, name), byInode);
      node.children?.set(name, child);
      child.names.push({ parent: node, name });
    }
    return node;
  }
}
