/**
 * Local group commit of the portable engine: callers whose answer waits for the local disk share
 * rounds of fdatasync, and the directories whose names changed since the last round are synced with
 * them, so that an answered write never loses its name.
 */
import { close, fdatasync, fsync, open, type PathLike } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { errnoOf } from './portable-library.js';

/** Called with 0 or the positive errno. */
export type CommitDone = (errno: number) => void;

export class PortableCommit {
  readonly #source: (path: string) => PathLike;
  /** Directories (paths of the mount) with names changed and not yet synced. */
  #directories = new Set<string>();
  #waiting: { fd: number; done: CommitDone }[] = [];
  #running = false;

  constructor(source: (path: string) => PathLike) {
    this.#source = source;
  }

  namesChanged(directory: string): void {
    this.#directories.add(directory);
  }

  /** A directory moved: what is noted below it is found at its new place. */
  moved(from: string, to: string): void {
    const moved = new Set<string>();
    for (const path of this.#directories) {
      const below = path === from || path.startsWith(`${from}/`);
      moved.add(below ? to + path.slice(from.length) : path);
    }
    this.#directories = moved;
  }

  /**
   * `done` when the data written through `fd` so far is on disk. `fd` must stay open until then.
   */
  wait(fd: number, done: CommitDone): void {
    this.#waiting.push({ fd, done });
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const round = this.#waiting;
      const directories = this.#directories;
      this.#waiting = [];
      this.#directories = new Set();
      const files = [...new Set(round.map((one) => one.fd))];
      const results = await Promise.all([
        ...files.map(syncFile),
        ...[...directories].map((path) => this.#syncDirectory(path)),
      ]);
      // One failure fails the round: which write it was is not known.
      const errno = results.find((result) => result !== 0) ?? 0;
      for (const { done } of round) done(errno);
    }
    this.#running = false;
  }

  #syncDirectory(path: string): Promise<number> {
    return syncPath(this.#source(path));
  }
}

const syncFile = (fd: number): Promise<number> =>
  new Promise((resolve) => {
    fdatasync(fd, (error) => resolve(error === null ? 0 : errnoOf(error)));
  });

/** fsync of a directory by path; one that is gone has nothing left to sync. */
export function syncPath(path: PathLike): Promise<number> {
  return new Promise((resolve) => {
    open(path, 'r', (error, fd) => {
      if (error !== null) {
        const errno = errnoOf(error);
        resolve(errno === osConstants.errno.ENOENT ? 0 : errno);
        return;
      }
      fsync(fd, (failure) => {
        close(fd, () => resolve(failure === null ? 0 : errnoOf(failure)));
      });
    });
  });
}
