/**
 * Files of the target under comparison: hashes them in workers, writes the differing bytes, and
 * sets size and attributes when the source closes them. Messages of one file are done in their
 * order; hashing goes on beside the writing, as the source sends a piece only after it has the
 * hashes of that piece.
 */
import type { TreeEntry } from '../io/native.js';
import type { SyncTree } from '../io/tree.js';
import {
  SYNC_CREDIT_BYTES,
  SYNC_FILES_OPEN_MAX,
  SYNC_SEGMENT_BYTES,
  SYNC_WINDOW_BYTES_MAX,
  SYNC_WRITE_INLINE_BYTES,
} from '../limits.js';
import type { FileClose, FileData, FileOpen, Meta, ResyncToSource } from '../wire/messages.js';
import type { HashPool } from './hash-pool.js';
import { isRegular, problemOf, sameAttributes, treeMetaOf, typeOf } from './meta.js';

interface TargetFile {
  readonly open: FileOpen;
  /** -1: attributes only, or not open (any more). */
  fd: number;
  size: number;
  /** The entry as it is; null when it is not known or has changed since. */
  before: TreeEntry | null;
  readonly waiting: (FileData | FileClose)[];
  busy: boolean;
  hashing: Promise<void> | null;
  /** Answered: what still comes for it means nothing. */
  over: boolean;
}

export interface TargetFilesOptions {
  readonly tree: SyncTree;
  readonly pool: HashPool;
  send(message: ResyncToSource): void;
  breach(what: string): void;
  bug(error: unknown): void;
}

const NO_HASHES = Buffer.alloc(0);

function missing(path: Buffer): Error {
  const text = `ENOENT: another kind of entry is there now, open '${path.toString()}'`;
  return Object.assign(new Error(text), { code: 'ENOENT', errno: -2 });
}

export class TargetFiles {
  readonly #options: TargetFilesOptions;
  readonly #tree: SyncTree;
  readonly #files = new Map<number, TargetFile>();
  /** Operations under way, for `stop`. */
  readonly #pending = new Set<Promise<void>>();
  #waitingBytes = 0;
  #uncreditedBytes = 0;
  #stopped = false;

  constructor(options: TargetFilesOptions) {
    this.#options = options;
    this.#tree = options.tree;
  }

  get idle(): boolean {
    return this.#files.size === 0;
  }

  handle(message: FileOpen | FileData | FileClose): void {
    if (this.#stopped) return;
    if (message.type === 'fileOpen') return this.#opened(message);
    const bytes = message.type === 'fileData' ? message.data.length : 0;
    const file = this.#files.get(message.id);
    // The source sent this before it heard of the problem.
    if (file === undefined) return this.#credit(bytes);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > 2 * SYNC_WINDOW_BYTES_MAX) {
      return this.#options.breach('more file data than its window');
    }
    file.waiting.push(message);
    this.#pump(file);
  }

  /** Takes no more; resolves when nothing touches the tree any more and every file is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    for (const file of this.#files.values()) this.#closeQuietly(file);
    this.#files.clear();
  }

  #opened(open: FileOpen): void {
    if (this.#files.size >= 2 * SYNC_FILES_OPEN_MAX || this.#files.has(open.id)) {
      return this.#options.breach('too many files at once');
    }
    const file: TargetFile = {
      open,
      ...{ fd: -1, size: 0, before: null, waiting: [], busy: false, hashing: null, over: false },
    };
    this.#files.set(open.id, file);
    this.#guard(file, () => this.#begin(file));
  }

  #begin(file: TargetFile): Promise<void> | null {
    const { open } = file;
    if (open.blockSize === 0) return null;
    if (!open.whole) {
      file.before = this.#tree.stat(open.path);
      if (!isRegular(file.before.mode)) throw missing(open.path);
    }
    const { fd, size } = this.#tree.openWrite(open.path);
    file.fd = fd;
    file.size = size;
    if (open.whole) return size === 0 ? null : this.#empty(file);
    this.#startHashing(file);
    return null;
  }

  async #empty(file: TargetFile): Promise<void> {
    await this.#tree.truncate(file.fd, 0);
    file.size = 0;
  }

  #startHashing(file: TargetFile): void {
    file.hashing = this.#track(
      this.#hash(file).then(
        () => this.#hashed(file),
        (error: unknown) => {
          file.hashing = null;
          this.#fail(file, error);
        },
      ),
    );
  }

  #hashed(file: TargetFile): void {
    file.hashing = null;
    if (file.over) this.#closeQuietly(file);
  }

  /** Sends the hashes of the own blocks, piece by piece, or finishes a small file that is equal. */
  async #hash(file: TargetFile): Promise<void> {
    const { id, blockSize, hashes: theirs, meta } = file.open;
    const size = file.size;
    // What lies beyond the source's end is cut off: no hashes of it.
    const end = Math.min(size, Math.ceil(meta.size / blockSize) * blockSize);
    for (let offset = 0; offset < end || offset === 0; offset += SYNC_SEGMENT_BYTES) {
      const length = Math.min(SYNC_SEGMENT_BYTES, end - offset);
      const last = offset + length >= end;
      const hashes = length === 0 ? NO_HASHES : await this.#hashPiece(file, offset, length);
      if (this.#stopped || file.over) return;
      if (theirs.length > 0 && size === meta.size && hashes.equals(theirs)) {
        file.hashing = null;
        this.#guard(file, () => this.#finish(file, meta));
        return;
      }
      const firstBlock = offset / blockSize;
      const rest = { firstBlock, hashes, last, size, problem: null };
      this.#options.send({ type: 'fileHashes', id, ...rest });
    }
  }

  async #hashPiece(file: TargetFile, offset: number, length: number): Promise<Buffer> {
    const { blockSize } = file.open;
    const job = { fd: file.fd, offset, length, blockSize, wantData: false };
    return (await this.#options.pool.run(job)).hashes;
  }

  /** Does what waits for this file, in order, until something takes long. */
  #pump(file: TargetFile): void {
    while (!file.busy && !file.over && !this.#stopped) {
      const message = file.waiting.shift();
      if (message === undefined) return;
      if (message.type === 'fileData') this.#guard(file, () => this.#write(file, message));
      else this.#guard(file, () => this.#finish(file, message.meta));
    }
  }

  #write(file: TargetFile, { offset, zeros, data }: FileData): Promise<void> | null {
    if (file.fd === -1) throw missing(file.open.path);
    // Given back also when it fails, so that the window of other files stays whole.
    this.#waitingBytes -= data.length;
    file.before = null;
    if (zeros > 0) {
      this.#tree.punchHole(file.fd, offset, zeros);
      return null;
    }
    file.size = Math.max(file.size, offset + data.length);
    if (data.length > SYNC_WRITE_INLINE_BYTES) {
      return this.#tree.write(file.fd, data, offset).finally(() => this.#credit(data.length));
    }
    this.#credit(data.length);
    this.#tree.writeSync(file.fd, data, offset);
    return null;
  }

  #finish(file: TargetFile, meta: Meta): Promise<void> | null {
    if (file.open.blockSize === 0) {
      this.#setAttributes(file, meta);
      return null;
    }
    if (file.size === meta.size) {
      this.#complete(file, meta);
      return null;
    }
    return this.#tree.truncate(file.fd, meta.size).then(() => {
      file.before = null;
      this.#complete(file, meta);
    });
  }

  #complete(file: TargetFile, meta: Meta): void {
    this.#closeFd(file);
    const { before, open } = file;
    const same = before !== null && before.mtime === meta.mtime && sameAttributes(before, meta);
    if (!same) this.#tree.setMeta(open.path, treeMetaOf(meta));
    this.#done(file);
  }

  #setAttributes(file: TargetFile, meta: Meta): void {
    const { open } = file;
    const own = this.#tree.stat(open.path);
    if (typeOf(own.mode) !== typeOf(meta.mode)) throw missing(open.path);
    this.#tree.setMeta(open.path, treeMetaOf(meta));
    this.#done(file);
  }

  #done(file: TargetFile): void {
    file.over = true;
    this.#files.delete(file.open.id);
    this.#options.send({ type: 'fileDone', id: file.open.id, problem: null });
  }

  /** Runs a step of a file; one that takes long makes the file busy, one that fails ends it. */
  #guard(file: TargetFile, step: () => Promise<void> | null): void {
    try {
      const pending = step();
      if (pending === null) return;
      file.busy = true;
      const settled = (): void => {
        file.busy = false;
        if (file.over) this.#closeQuietly(file);
        else this.#pump(file);
      };
      void this.#track(
        pending.then(settled, (error: unknown) => {
          this.#fail(file, error);
          settled();
        }),
      );
    } catch (error) {
      this.#fail(file, error);
    }
  }

  /** Tells the source, which comes back to this file or gives up. */
  #fail(file: TargetFile, error: unknown): void {
    if (file.over) return;
    file.over = true;
    this.#closeQuietly(file);
    const { id, path } = file.open;
    this.#files.delete(id);
    for (const message of file.waiting.splice(0)) {
      if (message.type !== 'fileData') continue;
      this.#waitingBytes -= message.data.length;
      this.#credit(message.data.length);
    }
    const problem = problemOf(error, path);
    if (problem === null) this.#options.bug(error);
    if (!this.#stopped) this.#options.send({ type: 'fileDone', id, problem });
  }

  /**
   * Never while a worker or a write still uses the descriptor: its number could become another
   * file's.
   */
  #closeFd(file: TargetFile): void {
    if (file.fd === -1 || file.hashing !== null || file.busy) return;
    const fd = file.fd;
    file.fd = -1;
    this.#tree.close(fd);
  }

  /** Of a file whose problem is told already. */
  #closeQuietly(file: TargetFile): void {
    try {
      this.#closeFd(file);
    } catch {
      // The first problem is the one to tell.
    }
  }

  #credit(bytes: number): void {
    this.#uncreditedBytes += bytes;
    if (this.#uncreditedBytes < SYNC_CREDIT_BYTES || this.#stopped) return;
    this.#options.send({ type: 'syncCredit', bytes: this.#uncreditedBytes });
    this.#uncreditedBytes = 0;
  }

  #track(promise: Promise<void>): Promise<void> {
    this.#pending.add(promise);
    void promise.then(() => this.#pending.delete(promise));
    return promise;
  }
}
