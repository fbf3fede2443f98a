/**
 * One protected directory as the resync sees it: everything relative to a descriptor of its root,
 * never through a mount and never following a symlink out of it (native.ts, `*Beneath`). The
 * interface is a port, so that tests can make a disk fail.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncate,
  ftruncateSync,
  write,
  writeSync,
} from 'node:fs';
import { native, type TreeEntry, type TreeMeta } from './native.js';
import { treeEntries } from './tree-entries.js';

export interface OpenFile {
  readonly fd: number;
  readonly size: number;
}

/**
 * Paths are raw bytes below the root, '' is the root. What fails throws (or rejects with) an Error
 * with `code`. Opening something that is not a regular file fails with ENXIO.
 */
export interface SyncTree {
  /** Sorted by name bytes; to be gone through once. */
  readDir(path: Buffer): Promise<Iterable<TreeEntry>>;
  stat(path: Buffer): TreeEntry;
  make(path: Buffer, mode: number, rdev: number, target: Buffer): void;
  link(from: Buffer, to: Buffer): void;
  /** Also a directory with all below it; ENOENT is success. */
  remove(path: Buffer): Promise<void>;
  setMeta(path: Buffer, meta: TreeMeta): void;
  openRead(path: Buffer): OpenFile;
  openWrite(path: Buffer): OpenFile;
  close(fd: number): void;
  writeSync(fd: number, data: Buffer, offset: number): void;
  /** Off the event loop, as is `truncate`: either may take long. */
  write(fd: number, data: Buffer, offset: number): Promise<void>;
  truncateSync(fd: number, size: number): void;
  truncate(fd: number, size: number): Promise<void>;
  punchHole(fd: number, offset: number, length: number): void;
}

// O_NONBLOCK: a FIFO that took the file's place must not hold the event loop.
const OPEN_FLAGS = constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

function openRegular(rootFd: number, path: Buffer, flags: number): OpenFile {
  const fd = native().openBeneath(rootFd, path, flags | OPEN_FLAGS, 0);
  const stats = fstatSync(fd);
  if (stats.isFile()) return { fd, size: stats.size };
  closeSync(fd);
  throw Object.assign(new Error('ENXIO: not a regular file, open'), { code: 'ENXIO', errno: -6 });
}

/** O_NOATIME is only for owners and root; a copy is not a read by an application. */
function openReadOnly(rootFd: number, path: Buffer): OpenFile {
  try {
    return openRegular(rootFd, path, constants.O_RDONLY | constants.O_NOATIME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return openRegular(rootFd, path, constants.O_RDONLY);
  }
}

function writeFully(fd: number, data: Buffer, offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (done: number): void =>
      write(fd, data, done, data.length - done, offset + done, (error, wrote) => {
        if (error) reject(error);
        else if (done + wrote >= data.length) resolve();
        else step(done + wrote);
      });
    step(0);
  });
}

/** The tree below `rootFd`, which stays the caller's. */
export function systemTree(rootFd: number): SyncTree {
  const addon = native();
  return {
    readDir: async (path) => treeEntries(await addon.listDir(rootFd, path)),
    stat: (path) => addon.statBeneath(rootFd, path),
    make: (path, mode, rdev, target) => addon.makeBeneath(rootFd, path, mode, rdev, target),
    link: (from, to) => addon.linkBeneath(rootFd, from, to),
    remove: (path) => addon.removeBeneath(rootFd, path),
    setMeta: (path, meta) => addon.setMetaBeneath(rootFd, path, meta),
    openRead: (path) => openReadOnly(rootFd, path),
    openWrite: (path) => openRegular(rootFd, path, constants.O_RDWR),
    close: (fd) => closeSync(fd),
    writeSync(fd, data, offset) {
      for (let done = 0; done < data.length;) {
        done += writeSync(fd, data, done, data.length - done, offset + done);
      }
    },
    write: writeFully,
    truncateSync: (fd, size) => ftruncateSync(fd, size),
    truncate: (fd, size) =>
      new Promise((resolve, reject) => {
        ftruncate(fd, size, (error) => (error ? reject(error) : resolve()));
      }),
    punchHole: (fd, offset, length) => addon.punchHole(fd, offset, length),
  };
}
