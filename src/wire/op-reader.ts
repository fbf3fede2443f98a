/**
 * OpBatch → ops, checked. Counterpart of op-writer.ts. One OpFields is filled again for each op,
 * and what its kind needs is taken from it; fields a kind does not have are ignored, as protobuf
 * does with unknown ones.
 */
import { assertNever } from '../assert.js';
import { BATCH_OPS_MAX } from '../limits.js';
import type { BarrierOp, CreateOp, Op, OpKind, TimesOp } from '../op/op.js';
import type { OpsMessage } from './messages.js';
import { FLAG, KINDS } from './op-kinds.js';
import { OpFields } from './op-fields.js';
import { ProtocolError, badField } from './protocol-error.js';
import { reader } from './proto.js';
import * as check from './validate.js';

const WHYS: readonly BarrierOp['why'][] = ['syncEnd', 'flush', 'mode', 'stop'];
/** RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT, renameat2(2). */
const RENAME_FLAGS_MAX = 7;
/** XATTR_CREATE | XATTR_REPLACE, setxattr(2). */
const XATTR_FLAGS_MAX = 3;
/** FALLOC_FL_* bits, linux/falloc.h. */
const FALLOCATE_MODE_MAX = 0xff;

/** `payload` must be exactly as long as the write ops say; their data are views of it. */
export function readOps(message: Buffer, payload: Buffer): OpsMessage {
  const from = reader(message);
  const fields = new OpFields();
  const ops: Op[] = [];
  let firstSeq = 0;
  let used = 0;
  while (from.pos < from.len) {
    const tag = from.uint32();
    if (tag === 8) {
      firstSeq = Number(from.uint64());
    } else if (tag === 18) {
      if (ops.length === BATCH_OPS_MAX) throw badField('ops', `more than ${BATCH_OPS_MAX}`);
      fields.read(from);
      const op = opOf(fields, ops.length, payload, used);
      if (op.kind === 'write') used += op.data.length;
      ops.push(op);
    } else {
      from.skipType(tag & 7);
    }
  }
  if (ops.length === 0) throw badField('ops', 'none');
  check.positive(firstSeq, 'firstSeq');
  check.whole(firstSeq + ops.length, 'firstSeq');
  if (used !== payload.length) throw badField('payload', 'not as long as the write ops say');
  return { type: 'ops', firstSeq, ops };
}

/** The op's place goes into the error only when there is one: this runs for every op. */
function opOf(fields: OpFields, index: number, payload: Buffer, used: number): Op {
  try {
    const kind = KINDS.name(fields.kind, 'kind');
    return kind === 'write' ? writeOp(fields, payload, used) : otherOp(kind, fields);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(error.code, `ops[${index}].${error.message}`, error);
  }
}

function writeOp(fields: OpFields, payload: Buffer, used: number): Op {
  const ref = check.positive(fields.ref, 'ref');
  const { offset, length } = fields;
  check.range(offset, length, 'offset');
  if (used + length > payload.length) throw badField('length', 'more than the payload holds');
  const data = payload.subarray(used, used + length);
  return { kind: 'write', ref, offset, data, killPriv: flag(fields) };
}

function otherOp(kind: Exclude<OpKind, 'write'>, fields: OpFields): Op {
  switch (kind) {
    case 'truncate': {
      const size = check.whole(fields.length, 'length');
      return { kind, ref: ref(fields), size, killPriv: flag(fields) };
    }
    case 'fallocate': {
      const { offset, length } = fields;
      check.range(offset, length, 'offset');
      const mode = check.atMost(fields.mode, FALLOCATE_MODE_MAX, 'mode');
      return { kind, ref: ref(fields), mode, offset, length };
    }
    case 'copyRange': {
      const { fromOffset, offset, length } = fields;
      check.range(fromOffset, length, 'fromOffset');
      check.range(offset, length, 'offset');
      const from = check.positive(fields.parent, 'parent');
      return { kind, from, fromOffset, ref: ref(fields), offset, length };
    }
    case 'fsync':
      return { kind, ref: ref(fields), dataOnly: flag(fields) };
    case 'barrier': {
      const why = WHYS.find((known) => known === fields.why);
      if (why === undefined) throw badField('why', 'no meaning');
      return { kind, why, mode: check.MODES.name(fields.streamMode, 'streamMode') };
    }
    case 'bind':
    case 'forget':
    case 'link':
    case 'unlink':
    case 'rename':
      return nameOp(kind, fields);
    default:
      return attributeOp(kind, fields);
  }
}

function nameOp(kind: 'bind' | 'forget' | 'link' | 'unlink' | 'rename', fields: OpFields): Op {
  if (kind === 'forget') return { kind, ref: ref(fields) };
  const parent = check.positive(fields.parent, 'parent');
  const name = check.name(fields.name, 'name');
  if (kind === 'unlink') return { kind, parent, name, directory: flag(fields) };
  if (kind !== 'rename') return { kind, ref: ref(fields), parent, name };
  const newParent = check.positive(fields.newParent, 'newParent');
  const newName = check.name(fields.newName, 'newName');
  const flags = check.atMost(fields.flags, RENAME_FLAGS_MAX, 'flags');
  return { kind, parent, name, newParent, newName, flags };
}

type AttributeKind = 'create' | 'setattr' | 'times' | 'setxattr' | 'removexattr';

function attributeOp(kind: AttributeKind, fields: OpFields): Op {
  switch (kind) {
    case 'create':
      return createOp(fields);
    case 'setattr': {
      const mode = check.atMost(fields.mode, check.MODE_MAX, 'mode');
      return { kind, ref: ref(fields), mode, uid: fields.uid, gid: fields.gid };
    }
    case 'times':
      return timesOp(fields);
    case 'setxattr': {
      const name = check.xattrName(fields.name, 'name');
      const value = check.xattrValue(fields.value, 'value');
      const flags = check.atMost(fields.flags, XATTR_FLAGS_MAX, 'flags');
      return { kind, ref: ref(fields), name, value, flags };
    }
    case 'removexattr':
      return { kind, ref: ref(fields), name: check.xattrName(fields.name, 'name') };
    default:
      return assertNever(kind);
  }
}

function createOp(fields: OpFields): CreateOp {
  const { uid, gid, rdev } = fields;
  const mode = check.typedMode(fields.mode, 'mode');
  return {
    kind: 'create',
    ref: ref(fields),
    parent: check.positive(fields.parent, 'parent'),
    name: check.name(fields.name, 'name'),
    mode,
    uid,
    gid,
    rdev,
    target: check.target(fields.value, mode, 'value'),
  };
}

function timesOp(fields: OpFields): TimesOp {
  const mtime = check.time(fields.mtimeSeconds, fields.mtimeNanos, 'mtime');
  const atime = fields.hasAtime
    ? check.time(fields.atimeSeconds, fields.atimeNanos, 'atime')
    : null;
  return { kind: 'times', ref: ref(fields), mtime, atime };
}

const ref = (fields: OpFields): number => check.positive(fields.ref, 'ref');
const flag = (fields: OpFields): boolean => check.atMost(fields.flags, FLAG, 'flags') === FLAG;
