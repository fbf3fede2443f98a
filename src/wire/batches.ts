/**
 * Cuts ordered ops into messages that fit a frame. Ops that are there together share one, so that a
 * burst of small changes costs one frame, one system call and one acknowledgement.
 */
import type { Seq } from '../core/types.js';
import { BATCH_MESSAGE_BYTES_MAX, BATCH_OPS_MAX, BATCH_PAYLOAD_BYTES_MAX } from '../limits.js';
import type { Op } from '../op/op.js';
import type { Meta, OpsMessage } from './messages.js';

/** More than the numbers of any op and its tags take; names and values come on top. */
const OP_BYTES = 160;
const META_BYTES = 96;

/**
 * `ops[i]` has seq `firstSeq + i`; the messages follow each other without a gap. No ops: no
 * message.
 */
export function batches(firstSeq: Seq, ops: readonly Op[]): OpsMessage[] {
  const messages: OpsMessage[] = [];
  let from = 0;
  let message = 0;
  let payload = 0;
  for (const [at, op] of ops.entries()) {
    const opMessage = opBytes(op);
    const opPayload = op.kind === 'write' ? op.data.length : 0;
    const full =
      at - from >= BATCH_OPS_MAX ||
      message + opMessage > BATCH_MESSAGE_BYTES_MAX ||
      payload + opPayload > BATCH_PAYLOAD_BYTES_MAX;
    if (full && at > from) {
      messages.push({ type: 'ops', firstSeq: firstSeq + from, ops: ops.slice(from, at) });
      [from, message, payload] = [at, 0, 0];
    }
    message += opMessage;
    payload += opPayload;
  }
  if (ops.length > from) {
    const rest = from === 0 ? ops : ops.slice(from);
    messages.push({ type: 'ops', firstSeq: firstSeq + from, ops: rest });
  }
  return messages;
}

/** Upper bound of an op's bytes in the protobuf message. */
function opBytes(op: Op): number {
  switch (op.kind) {
    case 'bind':
    case 'link':
    case 'unlink':
    case 'removexattr':
      return OP_BYTES + op.name.length;
    case 'create':
      return OP_BYTES + op.name.length + op.target.length;
    case 'rename':
      return OP_BYTES + op.name.length + op.newName.length;
    case 'setxattr':
      return OP_BYTES + op.name.length + op.value.length;
    default:
      return OP_BYTES;
  }
}

/** Upper bound of a DirList entry's bytes; parts are cut at PART_MESSAGE_BYTES_MAX of them. */
export function entryBytes(name: Buffer, meta: Meta): number {
  let bytes = META_BYTES + name.length + meta.target.length;
  for (const xattr of meta.xattrs) bytes += 16 + xattr.name.length + xattr.value.length;
  return bytes;
}
