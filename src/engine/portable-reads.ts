/** Requests of the portable engine that change nothing: answered here, unknown to the stream. */
import { lstatSync, read, readdir, readlinkSync, statfsSync, type Stats } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { isUtf8 } from 'node:buffer';
import {
  ErrnoError,
  errnoOf,
  type FuseOperations,
  type FuseReply,
  type FuseSpace,
  type FuseStat,
} from './portable-library.js';
import type { PortableHandles } from './portable-handles.js';

const { EILSEQ } = osConstants.errno;
/** What the library makes of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

export interface PeerSpace {
  readonly freeBytes: number;
  readonly availableBytes: number;
  readonly freeFiles: number;
}

export interface ReadContext {
  readonly handles: PortableHandles;
  source(path: string): string;
  peerSpace(): PeerSpace | null;
}

/** Refuses a name that the library has altered. */
export function checkName(text: string): string {
  if (text.includes(REPLACEMENT)) throw new ErrnoError(EILSEQ);
  return text;
}

/** Answers with what `get` returns or with the errno of what it throws. */
export function answer<T>(reply: FuseReply<T>, get: () => T): void {
  let value: T;
  try {
    value = get();
  } catch (error) {
    reply(-errnoOf(error));
    return;
  }
  reply(0, value);
}

type Reads = Pick<FuseOperations, 'getattr' | 'readdir' | 'readlink' | 'statfs' | 'read'>;

export function readOperations(context: ReadContext): Reads {
  return {
    getattr: (path, reply) =>
      answer(reply, () => statOf(lstatSync(context.source(checkName(path))))),
    readlink: (path, reply) =>
      answer(reply, () => {
        const target = readlinkSync(context.source(checkName(path)), { encoding: 'buffer' });
        if (!isUtf8(target)) throw new ErrnoError(EILSEQ);
        return target.toString();
      }),
    readdir: (path, reply) => {
      readdir(context.source(path), { encoding: 'buffer' }, (error, names) => {
        if (error !== null) reply(-errnoOf(error));
        else reply(0, ['.', '..', ...names.filter(isUtf8).map(String)]);
      });
    },
    read: (_path, fd, into, length, offset, reply) => {
      read(fd, into, 0, length, offset, (error, count) =>
        reply(error === null ? count : -errnoOf(error)),
      );
    },
    statfs: (_path, reply) =>
      answer(reply, () => spaceOf(statfsSync(context.source('/')), context.peerSpace())),
  };
}

/**
 * Milliseconds and 32-bit numbers are what the library carries; the data behind keeps all of it.
 */
function statOf(stat: Stats): FuseStat {
  return {
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    dev: stat.dev,
    nlink: stat.nlink,
    ino: stat.ino,
    rdev: stat.rdev,
    blksize: stat.blksize,
    blocks: stat.blocks,
    atime: Math.floor(stat.atimeMs),
    mtime: Math.floor(stat.mtimeMs),
    ctime: Math.floor(stat.ctimeMs),
  };
}

interface LocalSpace {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

function spaceOf(local: LocalSpace, peer: PeerSpace | null): FuseSpace {
  const limit = (own: number, peers: number | undefined): number =>
    peers === undefined ? own : Math.min(own, Math.floor(peers));
  const freeFiles = limit(local.ffree, peer?.freeFiles);
  return {
    bsize: local.bsize,
    frsize: local.bsize,
    blocks: local.blocks,
    bfree: limit(local.bfree, peer === null ? undefined : peer.freeBytes / local.bsize),
    bavail: limit(local.bavail, peer === null ? undefined : peer.availableBytes / local.bsize),
    files: local.files,
    ffree: freeFiles,
    favail: freeFiles,
    namemax: 255,
  };
}
