/** A small ext4 of one's own in a file, to be filled, frozen and made read-only. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { must } from './shell.js';
import { tempDir } from './temp-dir.js';
import type { Cleanup } from './temp-dir.js';

const KIB = 1024;
const MIB = 1024 * KIB;

export class SmallDisk {
  /** Where it is mounted; unmounted with the test (temp-dir.ts), the loop device goes with it. */
  readonly path: string;
  readonly #ballast: string;

  /** `path`: where to mount it, `imageDir`: where its image lies, instead of places of its own. */
  constructor(context: Cleanup, sizeMib: number, at: { path?: string; imageDir?: string } = {}) {
    const base = tempDir(context, 'disk');
    const image = join(at.imageDir ?? base, 'image');
    this.path = at.path ?? join(base, 'fs');
    this.#ballast = join(this.path, 'ballast');
    fs.mkdirSync(this.path, { recursive: true });
    fs.closeSync(fs.openSync(image, 'w'));
    fs.truncateSync(image, sizeMib * MIB);
    // No blocks kept for root: the daemon is root and would not meet the end otherwise.
    must('mkfs.ext4', '-q', '-b', '4096', '-m', '0', '-O', '^has_journal', image);
    must('mount', '-o', 'loop', image, this.path);
  }

  /** Takes all the space but about `leaveBytes`, with a file outside of any node's directory. */
  fill(leaveBytes = 0): void {
    const fd = fs.openSync(this.#ballast, 'a');
    try {
      for (let size = MIB; size >= 4 * KIB; size /= 2) {
        const chunk = Buffer.alloc(size, 0xba);
        while (this.freeBytes() - size >= leaveBytes && append(fd, chunk));
      }
    } finally {
      fs.closeSync(fd);
    }
    must('sync', '-f', this.path);
  }

  free(): void {
    fs.rmSync(this.#ballast);
    must('sync', '-f', this.path);
  }

  freeBytes(): number {
    const { bavail, bsize } = fs.statfsSync(this.path);
    return bavail * bsize;
  }

  /** The filesystem itself, so that no mount of it can write. */
  setReadOnly(on: boolean): void {
    must('mount', '-o', `remount,${on ? 'ro' : 'rw'}`, this.path);
  }

  /** From now on it fails whatever is asked of it, like a disk that was pulled out. */
  break(): void {
    const shutdown =
      'import fcntl,os,sys; fcntl.ioctl(os.open(sys.argv[1],0),0x8004587d,b"\\2\\0\\0\\0")';
    must('python3', '-c', shutdown, this.path);
  }

  /** Whoever writes to it hangs until it is thawed. */
  freeze(): void {
    must('fsfreeze', '-f', this.path);
  }

  thaw(): void {
    must('fsfreeze', '-u', this.path);
  }
}

function append(fd: number, chunk: Buffer): boolean {
  try {
    return fs.writeSync(fd, chunk) === chunk.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
