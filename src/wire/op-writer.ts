/**
 * Ops → OpBatch. The hot path, so it writes the wire format directly rather than through the
 * generated module; the schema is the same (twinfs.proto) and a property test proves it. Fields are
 * in ascending order, as the generated module writes them.
 */
import { assertNever } from '../assert.js';
import type { Op } from '../op/op.js';
import type { ByteWriter } from './byte-writer.js';
import type { OpsMessage } from './messages.js';
import { FLAG, KINDS } from './op-kinds.js';
import { MODES, timeParts } from './validate.js';

/** Writes the message and gives the payload: the bytes of the write ops, in order, not copied. */
export function writeOps(writer: ByteWriter, message: OpsMessage): Buffer[] {
  const payload: Buffer[] = [];
  writer.uint(1, message.firstSeq);
  for (const op of message.ops) {
    const begun = writer.begin(2);
    writer.uint(1, KINDS.number(op.kind));
    writeOp(writer, op);
    writer.end(begun);
    if (op.kind === 'write' && op.data.length > 0) payload.push(op.data);
  }
  return payload;
}

function writeOp(to: ByteWriter, op: Op): void {
  switch (op.kind) {
    case 'write':
      to.uint(2, op.ref);
      to.uint(7, op.offset);
      to.uint(8, op.data.length);
      to.uint(13, op.killPriv ? FLAG : 0);
      return;
    case 'truncate':
      to.uint(2, op.ref);
      to.uint(8, op.size);
      to.uint(13, op.killPriv ? FLAG : 0);
      return;
    case 'fallocate':
      to.uint(2, op.ref);
      to.uint(7, op.offset);
      to.uint(8, op.length);
      to.uint(9, op.mode);
      return;
    case 'copyRange':
      to.uint(2, op.ref);
      to.uint(3, op.from);
      to.uint(7, op.offset);
      to.uint(8, op.length);
      to.uint(15, op.fromOffset);
      return;
    case 'fsync':
      to.uint(2, op.ref);
      to.uint(13, op.dataOnly ? FLAG : 0);
      return;
    case 'barrier':
      to.text(20, op.why);
      to.uint(21, MODES.number(op.mode));
      return;
    case 'bind':
    case 'forget':
    case 'link':
    case 'unlink':
    case 'rename':
      writeNameOp(to, op);
      return;
    default:
      writeAttributeOp(to, op);
  }
}

type NameOp = Extract<Op, { kind: 'bind' | 'forget' | 'link' | 'unlink' | 'rename' }>;

function writeNameOp(to: ByteWriter, op: NameOp): void {
  switch (op.kind) {
    case 'bind':
    case 'link':
      to.uint(2, op.ref);
      to.uint(3, op.parent);
      to.bytes(4, op.name);
      return;
    case 'forget':
      to.uint(2, op.ref);
      return;
    case 'unlink':
      to.uint(3, op.parent);
      to.bytes(4, op.name);
      to.uint(13, op.directory ? FLAG : 0);
      return;
    case 'rename':
      to.uint(3, op.parent);
      to.bytes(4, op.name);
      to.uint(5, op.newParent);
      to.bytes(6, op.newName);
      to.uint(13, op.flags);
      return;
    default:
      assertNever(op);
  }
}

type AttributeOp = Extract<
  Op,
  { kind: 'create' | 'setattr' | 'times' | 'setxattr' | 'removexattr' }
>;

function writeAttributeOp(to: ByteWriter, op: AttributeOp): void {
  to.uint(2, op.ref);
  switch (op.kind) {
    case 'create':
      to.uint(3, op.parent);
      to.bytes(4, op.name);
      to.uint(9, op.mode);
      to.uint(10, op.uid);
      to.uint(11, op.gid);
      to.uint(12, op.rdev);
      to.bytes(14, op.target);
      return;
    case 'setattr':
      to.uint(9, op.mode);
      to.uint(10, op.uid);
      to.uint(11, op.gid);
      return;
    case 'times':
      writeTimes(to, op.mtime, op.atime);
      return;
    case 'setxattr':
      to.bytes(4, op.name);
      to.uint(13, op.flags);
      to.bytes(14, op.value);
      return;
    case 'removexattr':
      to.bytes(4, op.name);
      return;
    default:
      assertNever(op);
  }
}

function writeTimes(to: ByteWriter, mtime: bigint, atime: bigint | null): void {
  const changed = timeParts(mtime);
  to.sint(16, changed.seconds);
  to.uint(17, changed.nanos);
  if (atime === null) return;
  const read = timeParts(atime);
  to.sintAlways(18, read.seconds);
  to.uint(19, read.nanos);
}
