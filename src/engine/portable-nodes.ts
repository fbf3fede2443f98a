/**
 * Inodes of the portable engine: which number (ref) an inode has in the stream, and by which names
 * it is known. Libfuse speaks in paths, the stream in refs; a node keeps (parent node, name), so
 * that renaming a directory moves all below it without touching them. Nodes are made for what
 * changes while a stream is on.
 */
import { lstatSync, type BigIntStats } from 'node:fs';
import { assert } from '../assert.js';
import { PORTABLE_NODES_MAX } from '../limits.js';
import { ROOT_REF, type NodeRef } from '../op/op.js';

interface Alias {
  readonly parent: PortableNode;
  readonly name: string;
}

export interface PortableNode {
  readonly ref: NodeRef;
  readonly key: string;
  /** Known names; empty for the root, and for an inode that has lost its last one. */
  readonly aliases: Alias[];
  /** Known entries below. */
  children: number;
  /** Open handles. */
  opens: number;
  /** The stream's epoch in which the ref was bound; 0 never. */
  epoch: number;
}

/** '/a/b' → ['/a', 'b']; the root has no parent. */
export function splitPath(path: string): { parent: string; name: string } {
  const cut = path.lastIndexOf('/');
  assert(cut >= 0 && cut < path.length - 1, 'a path with a name at its end');
  return { parent: cut === 0 ? '/' : path.slice(0, cut), name: path.slice(cut + 1) };
}

const keyOf = (stat: BigIntStats): string => `${stat.dev}:${stat.ino}`;

export class PortableNodes {
  readonly #root: PortableNode;
  readonly #base: string;
  readonly #foreignBase: string;
  readonly #byKey = new Map<string, PortableNode>();
  readonly #byRef = new Map<NodeRef, PortableNode>();
  /** Last ref given; refs are never given twice. */
  #last: NodeRef = ROOT_REF;

  /**
   * `base` is where the data is: a path that leads there without passing the mount; `foreignBase`
   * does so for another process too.
   */
  constructor(base: string, foreignBase: string) {
    this.#base = base;
    this.#foreignBase = foreignBase;
    const key = keyOf(this.stat('/'));
    this.#root = { ref: ROOT_REF, key, aliases: [], children: 0, opens: 0, epoch: 0 };
    this.#byKey.set(key, this.#root);
    this.#byRef.set(ROOT_REF, this.#root);
  }

  get size(): number {
    return this.#byRef.size;
  }

  /** Path of the data behind a path of the mount. */
  source(path: string): string {
    return path === '/' ? `${this.#base}/.` : this.#base + path;
  }

  /** The same for a tool run as another process. */
  foreign(path: string): string {
    return path === '/' ? `${this.#foreignBase}/.` : this.#foreignBase + path;
  }

  stat(path: string): BigIntStats {
    return lstatSync(this.source(path), { bigint: true });
  }

  byRef(ref: NodeRef): PortableNode | null {
    return this.#byRef.get(ref) ?? null;
  }

  /** The node of an existing entry, made if need be, together with its ancestors. */
  of(path: string): PortableNode {
    if (path === '/') return this.#root;
    const key = keyOf(this.stat(path));
    const { parent, name } = splitPath(path);
    const node = this.#byKey.get(key) ?? this.#make(key);
    this.#addAlias(node, this.of(parent), name);
    return node;
  }

  /** The node of an existing entry if there is one already. */
  find(path: string): PortableNode | null {
    return path === '/' ? this.#root : (this.#byKey.get(keyOf(this.stat(path))) ?? null);
  }

  /**
   * The node of an entry just created; an old one with its inode number is dropped and given back.
   */
  born(path: string): { node: PortableNode; stale: PortableNode | null } {
    const key = keyOf(this.stat(path));
    const stale = this.#byKey.get(key) ?? null;
    if (stale !== null) this.drop(stale);
    return { node: this.of(path), stale };
  }

  /** The name `path` of `node` is gone. True: it has no known name left. */
  unnamed(node: PortableNode, path: string): boolean {
    const { parent, name } = splitPath(path);
    const parentNode = this.find(parent);
    const at = node.aliases.findIndex(
      (alias) => alias.parent === parentNode && alias.name === name,
    );
    if (at >= 0) {
      const [gone] = node.aliases.splice(at, 1);
      if (gone !== undefined) gone.parent.children -= 1;
    }
    return node.aliases.length === 0;
  }

  /**
   * The name `path` now leads to `node`. Its parent's node is made only if `node` is there to need
   * it.
   */
  named(node: PortableNode, path: string): void {
    const { parent, name } = splitPath(path);
    this.#addAlias(node, this.of(parent), name);
  }

  drop(node: PortableNode): void {
    assert(node !== this.#root, 'the root stays');
    for (const alias of node.aliases) alias.parent.children -= 1;
    node.aliases.length = 0;
    if (this.#byKey.get(node.key) === node) this.#byKey.delete(node.key);
    this.#byRef.delete(node.ref);
  }

  /** Path of the mount, or null for a nameless node. */
  pathOf(node: PortableNode): string | null {
    let path = '';
    for (let at = node; at !== this.#root;) {
      const alias = at.aliases[0];
      if (alias === undefined) return null;
      path = `/${alias.name}${path}`;
      at = alias.parent;
    }
    return path === '' ? '/' : path;
  }

  /** Nodes that may be dropped because there are more than PORTABLE_NODES_MAX; oldest first. */
  surplus(isNeeded: (node: PortableNode) => boolean): PortableNode[] {
    const excess = this.#byRef.size - PORTABLE_NODES_MAX;
    const out: PortableNode[] = [];
    if (excess <= 0) return out;
    for (const node of this.#byRef.values()) {
      // Half of the table at once, so that the walk over it is rare.
      if (out.length >= excess + PORTABLE_NODES_MAX / 2) break;
      if (node === this.#root || node.children > 0 || node.opens > 0 || isNeeded(node)) continue;
      out.push(node);
    }
    return out;
  }

  #make(key: string): PortableNode {
    this.#last += 1;
    const node: PortableNode = {
      ref: this.#last,
      key,
      aliases: [],
      children: 0,
      opens: 0,
      epoch: 0,
    };
    this.#byKey.set(key, node);
    this.#byRef.set(node.ref, node);
    return node;
  }

  #addAlias(node: PortableNode, parent: PortableNode, name: string): void {
    const known = node.aliases.some((alias) => alias.parent === parent && alias.name === name);
    if (known) return;
    node.aliases.push({ parent, name });
    parent.children += 1;
  }
}
