/**
 * Walks the source's tree, directory by directory, and makes the target's directories hold
 * exactly the same entries. Always depth first, so that what waits to be walked stays small.
 */
import { joinPath } from '../core/resync-plan.js';
import { TwinfsError } from '../errors.js';
import type { TreeEntry } from '../io/native.js';
import {
  DIR_LIST_ENTRIES_MAX,
  PART_MESSAGE_BYTES_MAX,
  PATH_BYTES_MAX,
  SYNC_DIRS_OPEN_MAX,
} from '../limits.js';
import { entryBytes } from '../wire/batches.js';
import type { DirList, DirResult, Meta, Problem } from '../wire/messages.js';
import { isDirectory, isGone, isRegular, metaOf, showPath } from './meta.js';
import type { FileJob } from './source-file.js';
import { orGone, readError, targetError, type SourceIo } from './source-io.js';

/** Where the walk puts what it finds. */
export interface WalkSink {
  file(job: FileJob): void;
  /** Resolves when more files may come. */
  room(): Promise<void>;
  /** The target does not have this directory (yet): again in the next pass. */
  missing(path: Buffer): void;
}

/**
 * `everything`: all below; else what the target has just made, and files that look different
 * there.
 */
export type Depth = 'everything' | 'entries';

export interface WalkTask {
  readonly path: Buffer;
  readonly depth: Depth;
}

type Entry = DirList['entries'][number];
const key = (name: Buffer): string => name.toString('latin1');
const keys = (names: readonly Buffer[]): Set<string> => new Set(names.map(key));

export class SourceWalk {
  readonly #io: SourceIo;
  readonly #sink: WalkSink;
  /** Directories compared with everything in them, where some may come up twice; null: none can. */
  readonly #seen: Set<string> | null;
  readonly #groups = new Set<bigint>();
  #stack: WalkTask[] = [];
  #active = 0;
  #error: Error | null = null;
  #done: (() => void) | null = null;

  constructor(io: SourceIo, sink: WalkSink, once: boolean) {
    this.#io = io;
    this.#sink = sink;
    this.#seen = once ? new Set() : null;
  }

  /** Lists these directories, several at a time, and what follows from them. */
  async run(tasks: readonly WalkTask[]): Promise<void> {
    this.#stack = [...tasks].reverse();
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      this.#pump();
    });
    if (this.#error !== null) throw this.#error;
  }

  #pump(): void {
    while (this.#error === null && this.#active < SYNC_DIRS_OPEN_MAX) {
      const task = this.#stack.pop();
      if (task === undefined) break;
      void this.#start(task);
    }
    if (this.#active === 0) this.#done?.();
  }

  async #start(task: WalkTask): Promise<void> {
    this.#active += 1;
    try {
      await this.#sink.room();
      await this.#visit(task);
    } catch (error) {
      this.#error ??= readError(task.path, error);
    }
    this.#active -= 1;
    this.#pump();
  }

  async #visit({ path, depth }: WalkTask): Promise<void> {
    if (this.#seen?.has(key(path))) return;
    if (depth === 'everything') this.#seen?.add(key(path));
    const self = orGone(path, () => this.#io.tree.stat(path));
    if (self === null || !isDirectory(self.mode)) return;
    const listed = await this.#list(path);
    if (listed === null) return;
    const problem = await this.#send({ path, depth }, metaOf(self), partsOf(path, listed));
    if (problem === null) return;
    if (!problem.missing) throw targetError(problem);
    this.#sink.missing(path);
  }

  /** Another name of this inode is being compared in this walk. */
  #known({ linkGroup }: Meta): boolean {
    if (linkGroup === 0n || this.#groups.has(linkGroup)) return linkGroup !== 0n;
    this.#groups.add(linkGroup);
    return false;
  }

  async #list(path: Buffer): Promise<Iterable<TreeEntry> | null> {
    try {
      return await this.#io.tree.readDir(path);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  /**
   * Sends a part while the one before is being answered, and no more: a directory may be of any
   * size. Returns the first problem.
   */
  async #send(task: WalkTask, self: Meta, parts: Iterable<Part>): Promise<Problem | null> {
    const { channel } = this.#io;
    const { path } = task;
    const id = channel.nextId();
    let problem: Problem | null = null;
    let before: (() => Promise<Problem | null>) | null = null;
    for (const { entries, last } of parts) {
      await this.#sink.room();
      await channel.reserve(0);
      const answer = channel.directory(id);
      channel.send({ type: 'dirList', id, path, self, entries, last });
      problem = before === null ? null : await before();
      if (problem !== null) {
        const end = { entries: [], last: true };
        if (!last) channel.send({ type: 'dirList', id, path, self, ...end });
        break;
      }
      before = async () => this.#follow(task, entries, await answer);
    }
    problem ??= before === null ? null : await before();
    channel.directoryDone(id);
    return problem;
  }

  #follow({ path, depth }: WalkTask, entries: readonly Entry[], result: DirResult): Problem | null {
    if (result.problem !== null) return result.problem;
    const fresh = keys(result.fresh);
    const stale = keys(result.stale);
    const below: WalkTask[] = [];
    for (const { name, meta } of entries) {
      const made = fresh.has(key(name));
      const all = depth === 'everything' || made;
      if (isDirectory(meta.mode)) {
        if (all) below.push({ path: joinPath(path, name), depth: 'everything' });
      } else if (isRegular(meta.mode) && meta.size > 0) {
        if (all ? this.#known(meta) : !stale.has(key(name))) continue;
        const found = { path: joinPath(path, name), meta, size: meta.size };
        this.#sink.file({ ...found, fresh: made, what: 'content' });
      }
    }
    for (const task of below.reverse()) this.#stack.push(task);
    this.#pump();
    return null;
  }
}

interface Part {
  readonly entries: readonly Entry[];
  readonly last: boolean;
}

/** Cuts a directory into messages; the last part may be empty. */
function* partsOf(path: Buffer, listed: Iterable<TreeEntry>): Generator<Part> {
  let part: Entry[] = [];
  let bytes = 0;
  for (const own of listed) {
    const entry = { name: own.name, meta: metaOf(own) };
    const size = entryBytes(entry.name, entry.meta);
    checkSize(joinPath(path, entry.name), size);
    const full = part.length === DIR_LIST_ENTRIES_MAX || bytes + size > PART_MESSAGE_BYTES_MAX;
    if (full && part.length > 0) {
      yield { entries: part, last: false };
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += size;
  }
  yield { entries: part, last: true };
}

function checkSize(path: Buffer, bytes: number): void {
  if (path.length > PATH_BYTES_MAX) {
    throw new TwinfsError(
      'path-too-long',
      'failed',
      `${showPath(path).slice(0, 200)}…: longer than the ${PATH_BYTES_MAX} bytes a resync can carry; move it up or remove it`,
    );
  }
  if (bytes > PART_MESSAGE_BYTES_MAX) {
    throw new TwinfsError(
      'xattrs-too-large',
      'failed',
      `${showPath(path)}: its extended attributes take ${bytes} bytes, more than a message carries; remove some`,
    );
  }
}
