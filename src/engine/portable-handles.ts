/** Open files of the portable engine: the kernel's handle number is our descriptor. */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { ErrnoError } from './portable-library.js';
import type { PortableNode } from './portable-nodes.js';

export interface PortableHandle {
  readonly fd: number;
  /** Path at the time of the open, for a node that is made later. */
  readonly path: string;
  node: PortableNode | null;
}

/**
 * Flags of open(2) that reach the data: the kernel has done the rest (append, create, truncate).
 */
const PASSED = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR | constants.O_NOATIME;

export class PortableHandles {
  readonly #handles = new Map<number, PortableHandle>();

  get size(): number {
    return this.#handles.size;
  }

  /** `source` is the path of the data; throws what open(2) says. */
  open(source: string, path: string, flags: number): number {
    return this.add(openSync(source, (flags & PASSED) | constants.O_NOFOLLOW), path);
  }

  add(fd: number, path: string): number {
    this.#handles.set(fd, { fd, path, node: null });
    return fd;
  }

  get(fd: number): PortableHandle {
    const handle = this.#handles.get(fd);
    if (handle === undefined) throw new ErrnoError(osConstants.errno.EBADF);
    return handle;
  }

  /** Fixes the node of a handle; its node must outlive the handle. */
  pin(handle: PortableHandle, node: PortableNode): PortableNode {
    if (handle.node === node) return node;
    if (handle.node !== null) handle.node.opens -= 1;
    handle.node = node;
    node.opens += 1;
    return node;
  }

  /** Closes; gives back the node that was pinned. */
  release(fd: number): PortableNode | null {
    const handle = this.get(fd);
    this.#handles.delete(fd);
    if (handle.node !== null) handle.node.opens -= 1;
    closeSync(fd);
    return handle.node;
  }

  closeAll(): void {
    for (const fd of [...this.#handles.keys()]) this.release(fd);
  }
}
