/**
 * What the next pass has to do: the engine's marks, resolved to paths as they are now, and what the
 * last pass could not bring. A mark whose inode has no name any more is nothing to do. A path that
 * is stale by the time it is used is found missing, and covered by the mark of whatever changed it.
 */
import { depthOf, type Left } from '../core/resync-plan.js';
import type { Mark } from '../engine/engine.js';
import type { Timers } from '../io/ports.js';
import type { SyncTree } from '../io/tree.js';
import { SYNC_SEGMENT_BYTES } from '../limits.js';
import { isDirectory, isRegular } from './meta.js';
import type { MarkFeed } from './seam.js';
import type { FileJob } from './source-file.js';
import { orGone } from './source-io.js';
import type { WalkTask } from './source-walk.js';

export interface Work {
  /**
   * Directories by depth: one level has to be complete before the next, which may be new over
   * there.
   */
  readonly levels: readonly (readonly WalkTask[])[];
  readonly files: readonly FileJob[];
  readonly left: Left;
}

const MARKS_PER_TURN = 1000;

const keyOf = (path: Buffer): string => path.toString('latin1');
const pathOf = (key: string): Buffer => Buffer.from(key, 'latin1');
const parentKey = (key: string): string => key.slice(0, Math.max(0, key.lastIndexOf('/')));

export class PassSet {
  readonly #tree: SyncTree;
  readonly #feed: MarkFeed;
  readonly #timers: Timers;
  #marks = 0;
  #subtrees = new Set<string>();
  #entries = new Set<string>();
  /** Size by path. */
  #content = new Map<string, number>();
  #attributes = new Set<string>();
  /** Bytes that differed in the last comparison of a large file, by path. */
  #changed = new Map<string, number>();

  constructor(tree: SyncTree, feed: MarkFeed, timers: Timers) {
    this.#tree = tree;
    this.#feed = feed;
    this.#timers = timers;
  }

  /**
   * Takes the engine's marks. Many of them are looked up in turns, so that the event loop goes on.
   */
  async collect(): Promise<void> {
    const marks = this.#feed.takeMarks();
    for (const [index, mark] of marks.entries()) {
      if (index % MARKS_PER_TURN === MARKS_PER_TURN - 1) {
        await new Promise<void>((resolve) => this.#timers.soon(resolve));
      }
      this.#add(mark);
    }
  }

  /**
   * A path that was missing on the target: it comes again, with the directory that should list it.
   */
  again(path: Buffer, what: 'directory' | FileJob['what']): void {
    const key = keyOf(path);
    if (what === 'directory') this.#subtrees.add(key);
    else if (what === 'attributes') this.#attributes.add(key);
    else this.#content.set(key, orGone(path, () => this.#tree.stat(path))?.size ?? 0);
    this.#entries.add(parentKey(key));
    this.#marks += 1;
  }

  /** Remembers how much of a large file differed, the best guess for the next time. */
  compared(path: Buffer, size: number, changedBytes: number): void {
    if (size > SYNC_SEGMENT_BYTES) this.#changed.set(keyOf(path), changedBytes);
  }

  get empty(): boolean {
    return this.#marks === 0;
  }

  /** Forgets everything: a pass has taken it over. */
  clear(): void {
    this.#marks = 0;
    this.#subtrees.clear();
    this.#entries.clear();
    this.#content.clear();
    this.#attributes.clear();
  }

  /** What there is to do, without taking it. */
  work(): Work {
    const files: FileJob[] = [];
    let changedBytes = 0;
    let readBytes = 0;
    for (const [key, size] of this.#content) {
      files.push({ path: pathOf(key), meta: null, size, fresh: false, what: 'content' });
      readBytes += size;
      changedBytes += Math.min(this.#changed.get(key) ?? size, size);
    }
    for (const key of this.#attributes) {
      if (this.#content.has(key) || this.#entries.has(key) || this.#subtrees.has(key)) continue;
      files.push({ path: pathOf(key), meta: null, size: 0, fresh: false, what: 'attributes' });
    }
    const subtrees = this.#subtrees.size;
    const left = { marks: this.#marks, changedBytes, readBytes, subtrees };
    return { levels: this.#levels(), files, left };
  }

  #add(mark: Mark): void {
    const path = this.#feed.pathOf(mark.ref);
    if (path === null) return;
    const key = keyOf(path);
    this.#marks += 1;
    if (mark.entries) this.#entries.add(key);
    if (mark.attributes) this.#attributes.add(key);
    if (!mark.data) return;
    const entry = orGone(path, () => this.#tree.stat(path));
    if (entry === null) return;
    if (isDirectory(entry.mode)) this.#subtrees.add(key);
    else if (isRegular(entry.mode)) this.#content.set(key, entry.size);
    else this.#attributes.add(key);
  }

  #levels(): WalkTask[][] {
    const levels: WalkTask[][] = [];
    for (const key of new Set([...this.#subtrees, ...this.#entries])) {
      if (this.#covered(key)) continue;
      const path = pathOf(key);
      const depth = this.#subtrees.has(key) ? 'everything' : 'entries';
      (levels[depthOf(path)] ??= []).push({ path, depth });
    }
    return levels.filter((level) => level !== undefined);
  }

  /** Lies below a directory that is compared with everything in it. */
  #covered(key: string): boolean {
    if (this.#subtrees.size === 0) return false;
    for (let above = key; above !== '';) {
      above = parentKey(above);
      if (this.#subtrees.has(above)) return true;
    }
    return false;
  }
}
