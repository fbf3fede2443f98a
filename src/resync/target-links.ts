/**
 * Which of the target's inodes stands for which hard-linked inode of the source, for one whole
 * resync. Names of one source inode become one inode here, names of different ones different
 * inodes. Inode numbers are given again on both sides when files go and come, so nothing is
 * believed without a look at the disk.
 */
import type { TreeEntry } from '../io/native.js';
import type { SyncTree } from '../io/tree.js';
import type { Meta } from '../wire/messages.js';
import { isGone, sameKind } from './meta.js';

interface Group {
  readonly ino: bigint;
  /** Names the inode got or was seen under, as latin1 (one byte each). */
  readonly paths: Set<string>;
}

export class LinkGroups {
  readonly #tree: SyncTree;
  readonly #byGroup = new Map<bigint, Group>();
  readonly #byInode = new Map<bigint, bigint>();

  constructor(tree: SyncTree) {
    this.#tree = tree;
  }

  /** A name under which the group's inode still is here, or null. */
  find(group: bigint, meta: Meta): { readonly path: Buffer; readonly entry: TreeEntry } | null {
    const known = this.#byGroup.get(group);
    if (known === undefined) return null;
    for (const name of known.paths) {
      const path = Buffer.from(name, 'latin1');
      const entry = this.#look(path);
      if (entry?.ino === known.ino) return sameKind(entry, meta) ? { path, entry } : null;
      known.paths.delete(name);
    }
    return null;
  }

  /** The inode `ino` stands for this group from now on. */
  claim(group: bigint, ino: bigint, path: Buffer): void {
    this.release(ino);
    const before = this.#byGroup.get(group);
    if (before !== undefined) this.#byInode.delete(before.ino);
    this.#byGroup.set(group, { ino, paths: new Set([path.toString('latin1')]) });
    this.#byInode.set(ino, group);
  }

  add(group: bigint, path: Buffer): void {
    this.#byGroup.get(group)?.paths.add(path.toString('latin1'));
  }

  /** Whether the inode stands for another group than this one. */
  isOthers(ino: bigint, group: bigint): boolean {
    const owner = this.#byInode.get(ino);
    return owner !== undefined && owner !== group;
  }

  /** The inode is a file of its own: new, or with one name left. */
  release(ino: bigint): void {
    const group = this.#byInode.get(ino);
    if (group === undefined) return;
    this.#byInode.delete(ino);
    this.#byGroup.delete(group);
  }

  get empty(): boolean {
    return this.#byInode.size === 0;
  }

  #look(path: Buffer): TreeEntry | null {
    try {
      return this.#tree.stat(path);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }
}
