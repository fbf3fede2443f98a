/**
 * Unpacks the directory entries that the addon packs into one buffer: making 100,000 objects with a
 * dozen properties each is several times faster here than through the C interface.
 *
 * Record, little endian, padded to 8 bytes:
 *
 *   0 u32 size of the record    16 f64 size      48 f64 rdev
 *   4 u32 mode                  24 f64 blocks    56 f64 nlink
 *   8 u32 uid                   32 i64 mtime ns  64 u16 name bytes, u16 xattrs, u32 target bytes
 *  12 u32 gid                   40 u64 inode     72 name, target, then per xattr
 *                                                   u32 name bytes, u32 value bytes, name, value
 */
import { assert } from '../assert.js';
import type { TreeEntry } from './native.js';

const HEADER_BYTES = 72;
const NO_BYTES = Buffer.alloc(0);
const NO_XATTRS: TreeEntry['xattrs'] = Object.freeze([]);

export const unpackTreeEntries = (packed: Buffer): TreeEntry[] => [...treeEntries(packed)];

/** One after the other: packed, an entry takes a fifth of the memory. */
export function* treeEntries(packed: Buffer): Generator<TreeEntry, undefined> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let offset = 0; offset < packed.length; offset += view.getUint32(offset, true)) {
    yield unpackEntry(packed, view, offset);
  }
}

function unpackEntry(packed: Buffer, view: DataView, offset: number): TreeEntry {
  assert(view.getUint32(offset, true) >= HEADER_BYTES, 'a tree record has its header');
  const nameEnd = offset + HEADER_BYTES + view.getUint16(offset + 64, true);
  const xattrCount = view.getUint16(offset + 66, true);
  const targetBytes = view.getUint32(offset + 68, true);
  const targetEnd = nameEnd + targetBytes;
  return {
    name: packed.subarray(offset + HEADER_BYTES, nameEnd),
    mode: view.getUint32(offset + 4, true),
    uid: view.getUint32(offset + 8, true),
    gid: view.getUint32(offset + 12, true),
    size: view.getFloat64(offset + 16, true),
    blocks: view.getFloat64(offset + 24, true),
    mtime: view.getBigInt64(offset + 32, true),
    ino: view.getBigUint64(offset + 40, true),
    rdev: view.getFloat64(offset + 48, true),
    nlink: view.getFloat64(offset + 56, true),
    target: targetBytes === 0 ? NO_BYTES : packed.subarray(nameEnd, targetEnd),
    xattrs: xattrCount === 0 ? NO_XATTRS : unpackXattrs(packed, view, targetEnd, xattrCount),
  };
}

function unpackXattrs(packed: Buffer, view: DataView, start: number, count: number) {
  const xattrs: { name: Buffer; value: Buffer }[] = [];
  let offset = start;
  for (let index = 0; index < count; index++) {
    const nameEnd = offset + 8 + view.getUint32(offset, true);
    const valueEnd = nameEnd + view.getUint32(offset + 4, true);
    xattrs.push({
      name: packed.subarray(offset + 8, nameEnd),
      value: packed.subarray(nameEnd, valueEnd),
    });
    offset = valueEnd;
  }
  return xattrs;
}
