/**
 * An append-only text file written off the event loop, bounded in memory: at LOG_PENDING_BYTES_MAX
 * further lines are dropped and counted, and the count is written when there is room again. Errors
 * (a full disk) lose lines and nothing else.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { LOG_PENDING_BYTES_MAX } from '../limits.js';
import { makeDirs } from './make-dirs.js';

export class LogFile {
  readonly #path: string;
  #fd: number;
  #pending: string[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #writing: string | null = null;
  readonly #retired: number[] = [];

  /** Opens or creates the file (mode 0640) and its directory; throws what open(2) throws. */
  constructor(path: string) {
    this.#path = path;
    makeDirs(dirname(path), 0o755);
    this.#fd = openAppend(path);
  }

  write(line: string): void {
    if (this.#pendingBytes + line.length > LOG_PENDING_BYTES_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    if (this.#writing === null) this.#writeNext();
  }

  /** Opens the file anew under its name; keeps the old one when that fails. */
  reopen(): void {
    let fd: number;
    try {
      fd = openAppend(this.#path);
    } catch {
      return;
    }
    const old = this.#fd;
    this.#fd = fd;
    // With a write under way on it, closing it now could let that write hit another file.
    if (this.#writing === null) fs.closeSync(old);
    else this.#retired.push(old);
  }

  /** Writes what is pending now, blocking. A line under way may appear twice. */
  flush(): void {
    const text = (this.#writing ?? '') + this.#take();
    try {
      if (text !== '') fs.writeSync(this.#fd, text);
    } catch {
      // The process is ending: there is nobody left to tell.
    }
  }

  #take(): string {
    const dropped = this.#dropped;
    const note = dropped === 0 ? '' : `{"level":40,"time":${Date.now()},"dropped":${dropped}}\n`;
    const text = this.#pending.join('') + note;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    return text;
  }

  #writeNext(): void {
    if (this.#pending.length === 0) return;
    this.#writing = this.#take();
    fs.write(this.#fd, this.#writing, () => {
      this.#writing = null;
      for (const fd of this.#retired.splice(0)) fs.closeSync(fd);
      this.#writeNext();
    });
  }
}

const openAppend = (path: string): number => fs.openSync(path, 'a', 0o640);
