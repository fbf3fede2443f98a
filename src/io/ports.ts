/**
 * The outside world as small interfaces, so that everything above can run on a simulated one: real
 * versions stand beside (system-clock.ts), tests bring their own.
 */

export interface Clock {
  /** Milliseconds, with fractions, of a clock that never goes back; its zero means nothing. */
  monotonicMs(): number;
}

export interface Timers {
  /** Calls `fn` once, not before `ms` milliseconds; the result cancels it (harmless afterwards). */
  setTimer(ms: number, fn: () => void): () => void;
  /**
   * Calls `fn` on the next turn of the event loop, after the I/O that is ready now. Cannot be
   * cancelled.
   */
  soon(fn: () => void): void;
}

/**
 * Disk calls of durable records. Every call has a label ("record.rename"), so that a test can make
 * exactly that one fail, tear or be lost in a crash. Errors are the system's, with `code`.
 */
export interface LabelledDisk {
  /** The whole file, or null when it is not there. */
  read(label: string, path: string): Promise<Buffer | null>;
  /** Creates or truncates for writing, readable by its owner only. */
  create(label: string, path: string): Promise<LabelledFile>;
  /** Replaces `to`; durable only after `syncDirectory` of the parent. */
  rename(label: string, from: string, to: string): Promise<void>;
  /** fsync of a directory: names made, changed and removed in it are durable. */
  syncDirectory(label: string, path: string): Promise<void>;
}

export interface LabelledFile {
  /** Appends all of `data`. */
  write(label: string, data: Buffer): Promise<void>;
  /** fsync(2). One that failed must not be tried again as if it could work: make the file anew. */
  sync(label: string): Promise<void>;
  close(label: string): Promise<void>;
}
