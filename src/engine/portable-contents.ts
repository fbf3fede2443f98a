/**
 * Requests of the portable engine that change what an inode holds: write, truncate, attributes,
 * times, extended attributes; and open, release and fsync of files. See portable-names.ts for the
 * order of steps.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fdatasync,
  fsync,
  ftruncateSync,
  lchownSync,
  lutimesSync,
  openSync,
  writeSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Op } from '../op/op.js';
import { syncPath } from './portable-commit.js';
import type { PortableHandle, PortableHandles } from './portable-handles.js';
import { errnoOf, type FuseOperations, type FuseReply } from './portable-library.js';
import type { ChangeContext } from './portable-names.js';
import type { PortableNode, PortableNodes } from './portable-nodes.js';
import { answer, checkName } from './portable-reads.js';
import type { PortableStream } from './portable-stream.js';
import { removeXattr, setXattr } from './portable-xattr.js';

type Contents = Pick<
  FuseOperations,
  | 'open'
  | 'release'
  | 'write'
  | 'truncate'
  | 'ftruncate'
  | 'fsync'
  | 'fsyncdir'
  | 'chmod'
  | 'chown'
  | 'utimens'
  | 'setxattr'
  | 'removexattr'
>;

const { EIO } = osConstants.errno;

export class PortableContents implements Contents {
  readonly #nodes: PortableNodes;
  readonly #handles: PortableHandles;
  readonly #stream: PortableStream;
  readonly #syncFailed: (errno: number) => void;
  #modifyTimeMs = 0;

  constructor(context: ChangeContext, syncFailed: (errno: number) => void) {
    this.#nodes = context.nodes;
    this.#handles = context.handles;
    this.#stream = context.stream;
    this.#syncFailed = syncFailed;
  }

  /** The mtime of the `utimens` that follows at once. */
  setModifyTime(mtimeMs: number): void {
    this.#modifyTimeMs = mtimeMs;
  }

  open(path: string, flags: number, reply: FuseReply<number>): void {
    answer(reply, () => this.#handles.open(this.#nodes.source(checkName(path)), path, flags));
  }

  release(_path: string, fd: number, reply: FuseReply): void {
    answer(reply, () => {
      const node = this.#handles.release(fd);
      if (node !== null && node.opens === 0 && this.#nodes.pathOf(node) === null)
        this.#stream.drop(node);
      return 0;
    });
  }

  write(
    path: string,
    fd: number,
    data: Buffer,
    length: number,
    offset: number,
    reply: FuseReply,
  ): void {
    this.#stream.admit(reply, () => {
      const handle = this.#handles.get(fd);
      const node = this.#nodeOf(handle, path);
      const { written, errno } = writeAll(fd, data, length, offset);
      if (written === 0 && errno !== 0) {
        reply(-errno);
        return;
      }
      // The kernel's memory is ours only until the answer, which may precede the sending.
      const copy = node === null ? null : Buffer.from(data.subarray(0, written));
      const op: Op | null =
        node === null || copy === null
          ? null
          : { kind: 'write', ref: node.ref, offset, data: copy, killPriv: false };
      this.#finishData(op, node, () => reply(written), reply, fd);
    });
  }

  truncate(path: string, size: number, reply: FuseReply): void {
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      const flags = constants.O_WRONLY | constants.O_NOFOLLOW;
      const fd = openSync(this.#nodes.source(path), flags);
      this.#truncate(fd, size, node, reply, () => closeSync(fd));
    });
  }

  ftruncate(path: string, fd: number, size: number, reply: FuseReply): void {
    this.#stream.admit(reply, () => {
      const node = this.#nodeOf(this.#handles.get(fd), path);
      this.#truncate(fd, size, node, reply, () => undefined);
    });
  }

  fsync(path: string, dataOnly: number, fd: number, reply: FuseReply): void {
    this.#stream.admit(reply, () => {
      const node = this.#nodeOf(this.#handles.get(fd), path);
      const call = dataOnly !== 0 ? fdatasync : fsync;
      this.#stream.begin();
      call(fd, (error) => this.#synced(error, node, dataOnly !== 0, reply));
    });
  }

  fsyncdir(path: string, dataOnly: number, _fd: number, reply: FuseReply): void {
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      this.#stream.begin();
      void syncPath(this.#nodes.source(path)).then((errno) => {
        const error = errno === 0 ? null : Object.assign(new Error('fsync'), { errno });
        this.#synced(error, node, dataOnly !== 0, reply);
      });
    });
  }

  chmod(path: string, mode: number, reply: FuseReply): void {
    this.#attributes(path, reply, (source) => chmodSync(source, mode & 0o7777));
  }

  chown(path: string, uid: number, gid: number, reply: FuseReply): void {
    this.#attributes(path, reply, (source) => lchownSync(source, uid, gid));
  }

  utimens(path: string, atimeMs: number, _mtimeMs: number, reply: FuseReply): void {
    const mtimeMs = this.#modifyTimeMs;
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      lutimesSync(this.#nodes.source(path), atimeMs / 1000, mtimeMs / 1000);
      const stat = this.#nodes.stat(path);
      const { mtimeNs: mtime, atimeNs: atime } = stat;
      this.#finish(
        node === null ? null : { kind: 'times', ref: node.ref, mtime, atime },
        node,
        reply,
      );
    });
  }

  setxattr(
    path: string,
    name: string,
    value: Buffer,
    _position: number,
    flags: number,
    reply: FuseReply,
  ): void {
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      setXattr(this.#nodes.foreign(path), checkName(name), value, flags);
      const copy = Buffer.from(value);
      const op = { kind: 'setxattr', name: Buffer.from(name), value: copy, flags: 0 } as const;
      this.#finish(node === null ? null : { ...op, ref: node.ref }, node, reply);
    });
  }

  removexattr(path: string, name: string, reply: FuseReply): void {
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      removeXattr(this.#nodes.foreign(path), checkName(name));
      const op = { kind: 'removexattr', name: Buffer.from(name) } as const;
      this.#finish(node === null ? null : { ...op, ref: node.ref }, node, reply);
    });
  }

  /** The node of an open file; null where nobody is told. */
  #nodeOf(handle: PortableHandle, path: string): PortableNode | null {
    if (!this.#stream.isTold) return null;
    // The path of the request is the present one; a node found once stays the handle's.
    return handle.node ?? this.#handles.pin(handle, this.#nodes.of(path));
  }

  #truncate(
    fd: number,
    size: number,
    node: PortableNode | null,
    reply: FuseReply,
    release: () => void,
  ): void {
    try {
      ftruncateSync(fd, size);
    } catch (error) {
      release();
      throw error;
    }
    const op: Op | null =
      node === null ? null : { kind: 'truncate', ref: node.ref, size, killPriv: false };
    this.#finishData(op, node, () => reply(0), reply, fd, release);
  }

  #synced(
    error: NodeJS.ErrnoException | null,
    node: PortableNode | null,
    dataOnly: boolean,
    reply: FuseReply,
  ): void {
    this.#stream.done();
    if (error !== null) {
      this.#syncFailed(errnoOf(error));
      reply(-EIO);
      return;
    }
    this.#finish(node === null ? null : { kind: 'fsync', ref: node.ref, dataOnly }, node, reply);
  }

  #attributes(path: string, reply: FuseReply, apply: (source: string) => void): void {
    this.#stream.admit(reply, () => {
      const node = this.#stream.isTold ? this.#nodes.of(checkName(path)) : null;
      apply(this.#nodes.source(path));
      const stat = this.#nodes.stat(path);
      const result = { mode: Number(stat.mode), uid: Number(stat.uid), gid: Number(stat.gid) };
      this.#finish(
        node === null ? null : { kind: 'setattr', ref: node.ref, ...result },
        node,
        reply,
      );
    });
  }

  #finish(op: Op | null, node: PortableNode | null, reply: FuseReply): void {
    const uses = node === null ? [] : [node];
    this.#stream.finish(
      op,
      uses,
      () => reply(0),
      (errno) => reply(-errno),
      null,
    );
  }

  #finishData(
    op: Op | null,
    node: PortableNode | null,
    done: () => void,
    reply: FuseReply,
    fd: number,
    release: () => void = () => undefined,
  ): void {
    const uses = node === null ? [] : [node];
    this.#stream.finish(op, uses, done, (errno) => reply(-errno), fd, release);
    if (node !== null) this.#stream.touch(node);
  }
}

/** Writes until all is written or the disk says no; what was written before counts. */
function writeAll(
  fd: number,
  data: Buffer,
  length: number,
  offset: number,
): { written: number; errno: number } {
  let written = 0;
  while (written < length) {
    try {
      written += writeSync(fd, data, written, length - written, offset + written);
    } catch (error) {
      return { written, errno: errnoOf(error) };
    }
  }
  return { written, errno: 0 };
}
