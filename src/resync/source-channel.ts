/**
 * The source's side of the conversation: request numbers and who waits for their answers, and the
 * window of file data under way. Everything that waits here is released with an error by `fail`,
 * once and for all.
 */
import { TwinfsError } from '../errors.js';
import { SYNC_WINDOW_BYTES_MAX } from '../limits.js';
import type { DirResult, FileDone, FileHashes, Message, ResyncToSource } from '../wire/messages.js';
import type { SyncLink } from './seam.js';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Who gets the answers about one file. */
export interface FileListener {
  hashes(message: FileHashes): void;
  done(message: FileDone): void;
  failed(error: Error): void;
}

const breach = (what: string): TwinfsError =>
  new TwinfsError(
    'bad-message',
    'protocol',
    `the peer broke the resync protocol: ${what}; the connection is closed, it will be tried again`,
  );

export class SourceChannel {
  readonly #link: SyncLink;
  readonly #directories = new Map<number, Waiter<DirResult>[]>();
  readonly #files = new Map<number, FileListener>();
  #stored: Waiter<void> | null = null;
  #reservations: { bytes: number; waiter: Waiter<void> }[] = [];
  #lastId = 0;
  #usedBytes = 0;
  #linkFull = false;
  #error: Error | null = null;

  constructor(link: SyncLink) {
    this.#link = link;
  }

  get failed(): boolean {
    return this.#error !== null;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  send(message: Message): void {
    if (this.#error !== null) throw this.#error;
    if (!this.#link.send(message)) this.#linkFull = true;
  }

  /** The socket takes more again. */
  drained(): void {
    this.#linkFull = false;
    this.#admit();
  }

  /**
   * Room for `bytes` of file data to be read and sent; 0 waits for the socket only. Data that was
   * sent is given back by the target's credit, data that was not needed by `release`.
   */
  reserve(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      else {
        this.#reservations.push({ bytes, waiter: { resolve, reject } });
        this.#admit();
      }
    });
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#admit();
  }

  /** The answer to the next part of this directory. */
  directory(id: number): Promise<DirResult> {
    const answer = new Promise<DirResult>((resolve, reject) => {
      if (this.#error !== null) return reject(this.#error);
      const waiters = this.#directories.get(id) ?? [];
      this.#directories.set(id, waiters);
      waiters.push({ resolve, reject });
    });
    // Whoever waits for something else by then tells the error.
    answer.catch(() => undefined);
    return answer;
  }

  /** No more answers are wanted: after a problem none come. */
  directoryDone(id: number): void {
    this.#directories.delete(id);
  }

  listen(id: number, listener: FileListener): void {
    if (this.#error !== null) listener.failed(this.#error);
    else this.#files.set(id, listener);
  }

  stored(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      else this.#stored = { resolve, reject };
    });
  }

  handle(message: ResyncToSource): void {
    if (this.#error !== null) return;
    switch (message.type) {
      case 'dirResult':
        return this.#dirResult(message);
      case 'fileHashes':
      case 'fileDone':
        return this.#fileAnswer(message);
      case 'syncCredit':
        if (message.bytes > this.#usedBytes) return this.fail(breach('too much credit'));
        return this.release(message.bytes);
      case 'syncStored':
        if (this.#stored === null) return this.fail(breach('an end nobody asked for'));
        return this.#stored.resolve();
    }
  }

  /** Releases everybody with `error`; the first one counts. */
  fail(error: Error): void {
    if (this.#error !== null) return;
    this.#error = error;
    for (const { waiter } of this.#reservations.splice(0)) waiter.reject(error);
    for (const waiter of [...this.#directories.values()].flat()) waiter.reject(error);
    for (const listener of this.#files.values()) listener.failed(error);
    this.#directories.clear();
    this.#files.clear();
    this.#stored?.reject(error);
  }

  #dirResult(message: DirResult): void {
    const waiter = this.#directories.get(message.id)?.shift();
    if (waiter === undefined) return this.fail(breach('an answer about an unknown directory'));
    waiter.resolve(message);
  }

  #fileAnswer(message: FileHashes | FileDone): void {
    const listener = this.#files.get(message.id);
    if (listener === undefined) return this.fail(breach('an answer about an unknown file'));
    if (message.type === 'fileHashes') return listener.hashes(message);
    this.#files.delete(message.id);
    listener.done(message);
  }

  #admit(): void {
    while (!this.#linkFull) {
      const first = this.#reservations[0];
      if (first === undefined) return;
      const fits = first.bytes === 0 || this.#usedBytes + first.bytes <= SYNC_WINDOW_BYTES_MAX;
      if (!fits) return;
      this.#reservations.shift();
      this.#usedBytes += first.bytes;
      first.waiter.resolve();
    }
  }
}
