/**
 * Makes directories of the target hold exactly the entries that the source lists: merges the
 * sorted lists, makes what is missing (files empty), replaces what is of another kind, joins hard
 * links, and when the whole list is here removes what it does not name, then sets the directory's
 * own attributes: nothing changes its entries after that, so its mtime stays. Directories are
 * done one after the other, in the order asked.
 */
import { joinPath } from '../core/resync-plan.js';
import type { TreeEntry } from '../io/native.js';
import type { Clock, Timers } from '../io/ports.js';
import type { SyncTree } from '../io/tree.js';
import { SYNC_DIRS_OPEN_MAX, SYNC_TURN_MS } from '../limits.js';
import type { DirList, DirResult, Meta, Problem } from '../wire/messages.js';
import {
  isDirectory,
  isRegular,
  problemOf,
  sameAttributes,
  sameKind,
  treeMetaOf,
  typeOf,
} from './meta.js';
import { LinkGroups } from './target-links.js';

interface Listing {
  readonly path: Buffer;
  readonly own: Iterator<TreeEntry>;
  /** The first own entry not yet compared. */
  next: TreeEntry | undefined;
  lastName: Buffer | null;
  /** Own entries that the list passed over. */
  readonly extras: Buffer[];
  /** For the answer to this part. */
  answer: Answer;
}

interface Answer {
  readonly fresh: Buffer[];
  readonly stale: Buffer[];
  readonly linked: Buffer[];
  removed: number;
}

const newAnswer = (): Answer => ({ fresh: [], stale: [], linked: [], removed: 0 });

/** A listing that has been answered with a problem: its further parts mean nothing. */
const FAILED = 'failed';

const NO_BYTES = Buffer.alloc(0);
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const FILE_MODE = S_IFREG | 0o600;
const DIRECTORY_MODE = S_IFDIR | 0o700;

export interface TargetDirectoriesOptions {
  readonly tree: SyncTree;
  readonly clock: Clock;
  readonly timers: Timers;
  answer(result: DirResult): void;
  /** The source broke the protocol. */
  breach(what: string): void;
  bug(error: unknown): void;
}

export class TargetDirectories {
  readonly #options: TargetDirectoriesOptions;
  readonly #tree: SyncTree;
  readonly #links: LinkGroups;
  readonly #listings = new Map<number, Listing | typeof FAILED>();
  #queue: DirList[] = [];
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(options: TargetDirectoriesOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#links = new LinkGroups(options.tree);
  }

  /** Nothing is under way or waits. */
  get idle(): boolean {
    return this.#running === null && this.#listings.size === 0;
  }

  handle(message: DirList): void {
    if (this.#stopped) return;
    this.#queue.push(message);
    this.#running ??= this.#run();
  }

  /** Takes no more; resolves when nothing touches the tree any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const part = this.#queue.shift();
      if (part === undefined) break;
      await this.#part(part);
    }
    this.#running = null;
  }

  async #part(part: DirList): Promise<void> {
    if (this.#listings.get(part.id) !== FAILED) {
      try {
        const listing = await this.#listing(part);
        await this.#merge(listing, part);
        if (part.last && !this.#stopped) await this.#finish(listing, part);
        if (!this.#stopped) this.#answer(part.id, listing.answer, null);
        listing.answer = newAnswer();
      } catch (error) {
        this.#listings.set(part.id, FAILED);
        const problem = problemOf(error, part.path);
        if (problem === null) this.#options.bug(error);
        if (!this.#stopped) this.#answer(part.id, newAnswer(), problem);
      }
    }
    if (part.last) this.#listings.delete(part.id);
  }

  async #listing(part: DirList): Promise<Listing> {
    const known = this.#listings.get(part.id);
    if (known !== undefined && known !== FAILED) return known;
    if (this.#listings.size >= SYNC_DIRS_OPEN_MAX) this.#options.breach('too many directories');
    const own = (await this.#tree.readDir(part.path))[Symbol.iterator]();
    const listing: Listing = {
      ...{ path: part.path, own, next: nextOf(own), lastName: null },
      ...{ extras: [], answer: newAnswer() },
    };
    this.#listings.set(part.id, listing);
    return listing;
  }

  async #merge(listing: Listing, part: DirList): Promise<void> {
    const { clock, timers } = this.#options;
    let turnEnd = clock.monotonicMs() + SYNC_TURN_MS;
    for (const { name, meta } of part.entries) {
      if (this.#stopped) return;
      if (listing.lastName !== null && name.compare(listing.lastName) <= 0) {
        return this.#options.breach('a directory list that is not sorted');
      }
      listing.lastName = name;
      const own = advance(listing, name);
      const pending = this.#place(listing, name, meta, own);
      if (pending !== null) await pending;
      if (clock.monotonicMs() < turnEnd) continue;
      await new Promise<void>((resolve) => timers.soon(resolve));
      turnEnd = clock.monotonicMs() + SYNC_TURN_MS;
    }
  }

  /** The whole list is here. */
  async #finish(listing: Listing, { path, self }: DirList): Promise<void> {
    for (; listing.next !== undefined; listing.next = nextOf(listing.own)) {
      listing.extras.push(listing.next.name);
    }
    for (const name of listing.extras) {
      if (this.#stopped) return;
      await this.#tree.remove(joinPath(path, name));
      listing.answer.removed += 1;
    }
    const own = this.#tree.stat(path);
    if (!sameAttributes(own, self) || own.mtime !== self.mtime) {
      this.#tree.setMeta(path, treeMetaOf(self));
    }
  }

  /**
   * Makes one entry right. Without waiting in the common case, as a promise per entry would cost.
   */
  #place(listing: Listing, name: Buffer, meta: Meta, own: TreeEntry | null): Promise<void> | null {
    const path = joinPath(listing.path, name);
    if (own !== null && !this.#fits(own, meta)) {
      return this.#tree.remove(path).then(async () => {
        await this.#placeOver(listing, name, path, meta, null);
      });
    }
    return this.#placeOver(listing, name, path, meta, own);
  }

  /** Whether the own entry can become the listed one. */
  #fits(own: TreeEntry, meta: Meta): boolean {
    if (!sameKind(own, meta)) return false;
    if (isDirectory(meta.mode)) return true;
    if (meta.linkGroup === 0n) return own.nlink === 1;
    const first = this.#links.find(meta.linkGroup, meta);
    if (first !== null) return first.entry.ino === own.ino;
    return !this.#links.isOthers(own.ino, meta.linkGroup);
  }

  #placeOver(
    listing: Listing,
    name: Buffer,
    path: Buffer,
    meta: Meta,
    own: TreeEntry | null,
  ): Promise<void> | null {
    if (isDirectory(meta.mode)) return this.#directory(listing, name, path, meta, own);
    const group = meta.linkGroup;
    const first = group === 0n ? null : this.#links.find(group, meta);
    if (first !== null) {
      if (own === null) this.#tree.link(first.path, path);
      this.#links.add(group, path);
      listing.answer.linked.push(name);
      // What has content gets its attributes with it; of the rest each list tells the whole truth.
      const content = isRegular(meta.mode) && meta.size > 0;
      return content ? null : this.#adjust(listing, name, path, meta, first.entry);
    }
    if (own === null) this.#make(listing, name, path, meta);
    const ino = own?.ino ?? (group === 0n && this.#links.empty ? null : this.#tree.stat(path).ino);
    if (group !== 0n && ino !== null) this.#links.claim(group, ino, path);
    else if (ino !== null) this.#links.release(ino);
    return own === null ? null : this.#adjust(listing, name, path, meta, own);
  }

  #directory(
    listing: Listing,
    name: Buffer,
    path: Buffer,
    meta: Meta,
    own: TreeEntry | null,
  ): null {
    if (own === null) {
      // Its attributes come with its own list, which follows.
      this.#tree.make(path, DIRECTORY_MODE, 0, NO_BYTES);
      listing.answer.fresh.push(name);
    } else if (!sameAttributes(own, meta)) this.#tree.setMeta(path, treeMetaOf(meta));
    return null;
  }

  #make(listing: Listing, name: Buffer, path: Buffer, meta: Meta): void {
    if (isRegular(meta.mode)) this.#tree.make(path, FILE_MODE, 0, NO_BYTES);
    else this.#tree.make(path, typeOf(meta.mode) | 0o600, meta.rdev, meta.target);
    if (isRegular(meta.mode) && meta.size > 0) listing.answer.fresh.push(name);
    else this.#tree.setMeta(path, treeMetaOf(meta));
  }

  /** An entry that was here: attributes now; content, size and mtime of a file with its content. */
  #adjust(
    listing: Listing,
    name: Buffer,
    path: Buffer,
    meta: Meta,
    own: TreeEntry,
  ): Promise<void> | null {
    const sameTimes = own.mtime === meta.mtime;
    if (isRegular(meta.mode) && meta.size > 0 && !(sameTimes && own.size === meta.size)) {
      listing.answer.stale.push(name);
      return null;
    }
    const emptied = isRegular(meta.mode) && own.size !== meta.size ? this.#empty(path) : null;
    if (emptied !== null) return emptied.then(() => this.#tree.setMeta(path, treeMetaOf(meta)));
    if (!sameTimes || !sameAttributes(own, meta)) this.#tree.setMeta(path, treeMetaOf(meta));
    return null;
  }

  async #empty(path: Buffer): Promise<void> {
    const file = this.#tree.openWrite(path);
    try {
      await this.#tree.truncate(file.fd, 0);
    } finally {
      this.#tree.close(file.fd);
    }
  }

  #answer(id: number, answer: Answer, problem: Problem | null): void {
    this.#options.answer({ type: 'dirResult', id, ...answer, problem });
  }
}

/** Moves to `name`: what is passed over is extra. Returns the own entry of this name, if any. */
function advance(listing: Listing, name: Buffer): TreeEntry | null {
  for (let own = listing.next; own !== undefined; own = listing.next) {
    const order = own.name.compare(name);
    if (order > 0) return null;
    listing.next = nextOf(listing.own);
    if (order === 0) return own;
    listing.extras.push(own.name);
  }
  return null;
}

function nextOf(entries: Iterator<TreeEntry>): TreeEntry | undefined {
  const next = entries.next();
  return next.done === true ? undefined : next.value;
}
