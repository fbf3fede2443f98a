/** One op → one call of the applier, and its description for a person. */
import { constants } from 'node:os';
import { assertNever } from '../assert.js';
import type { NativeApplier } from '../io/native.js';
import type { BarrierOp, FsyncOp, Op } from '../op/op.js';

/** What changes something at once; fsync and barriers are durability.ts's business. */
export type PlainOp = Exclude<Op, FsyncOp | BarrierOp>;
export type OpApplier = Pick<
  NativeApplier,
  | 'bind'
  | 'forget'
  | 'write'
  | 'truncate'
  | 'fallocate'
  | 'copyRange'
  | 'create'
  | 'link'
  | 'unlink'
  | 'rename'
  | 'setattr'
  | 'times'
  | 'setxattr'
  | 'removexattr'
>;

/** Returns the errno, 0 when done. */
export function applyOp(to: OpApplier, op: PlainOp): number {
  switch (op.kind) {
    case 'bind':
      return to.bind(op.ref, op.parent, op.name);
    case 'forget':
      return to.forget(op.ref);
    case 'write':
      return to.write(op.ref, op.offset, op.data, op.killPriv);
    case 'truncate':
      return to.truncate(op.ref, op.size, op.killPriv);
    case 'fallocate':
      return to.fallocate(op.ref, op.mode, op.offset, op.length);
    case 'copyRange':
      return to.copyRange(op.from, op.fromOffset, op.ref, op.offset, op.length);
    case 'create': {
      const { ref, parent, name, mode, uid, gid, rdev, target } = op;
      return to.create(ref, parent, name, mode, uid, gid, rdev, target);
    }
    case 'link':
      return to.link(op.ref, op.parent, op.name);
    case 'unlink':
      return to.unlink(op.parent, op.name, op.directory);
    case 'rename':
      return to.rename(op.parent, op.name, op.newParent, op.newName, op.flags);
    case 'setattr':
      return to.setattr(op.ref, op.mode, op.uid, op.gid);
    case 'times':
      return to.times(op.ref, op.mtime, op.atime);
    case 'setxattr':
      return to.setxattr(op.ref, op.name, op.value, op.flags);
    case 'removexattr':
      return to.removexattr(op.ref, op.name);
    default:
      return assertNever(op);
  }
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

export const errnoName = (errno: number): string => errnoNames.get(errno) ?? `errno ${errno}`;

/** 'create "a.txt" (ref 7 below ref 1)': content is never shown. */
export function describeOp(op: Op): string {
  switch (op.kind) {
    case 'bind':
    case 'create':
    case 'link':
      return `${op.kind} ${quoted(op.name)} (ref ${op.ref} below ref ${op.parent})`;
    case 'unlink':
      return `unlink ${quoted(op.name)} (below ref ${op.parent})`;
    case 'rename': {
      const { parent, name, newParent, newName } = op;
      const from = `${quoted(name)} (below ref ${parent})`;
      return `rename ${from} to ${quoted(newName)} (below ref ${newParent})`;
    }
    case 'setxattr':
    case 'removexattr':
      return `${op.kind} ${quoted(op.name)} (ref ${op.ref})`;
    case 'write':
      return `write of ${op.data.length} bytes at ${op.offset} (ref ${op.ref})`;
    case 'barrier':
      return `barrier ${op.why}`;
    default:
      return `${op.kind} (ref ${op.ref})`;
  }
}

/** A name as one line of text, whatever its bytes. */
function quoted(name: Buffer): string {
  const text = name.toString('utf8');
  return JSON.stringify(Buffer.from(text).equals(name) ? text : name.toString('latin1'));
}
