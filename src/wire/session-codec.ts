/** Codecs of the handshake, acknowledgements and pings. Field meanings: twinfs.proto. */
import { GENERATION_HISTORY_MAX } from '../limits.js';
import { refusal } from './handshake.js';
import { boundRepeated, noPayload, NO_PAYLOAD, plain, sentence } from './message-codec.js';
import type { MessageCodec } from './message-codec.js';
import type { AckMessage, DecisionMessage, Hello, Ping, Pong, Refuse } from './messages.js';
import { badField, ProtocolError } from './protocol-error.js';
import { pb, reader } from './proto.js';
import * as check from './validate.js';
import { bits64Bytes, DATA_STATES, idBytes, MODES, ROLES } from './validate.js';

export const hello = plain<Hello>(
  1,
  (message) =>
    pb.Hello.encode({
      protocol: message.protocol,
      features: bits64Bytes(message.features),
      mirrorId: idBytes(message.mirror),
      nodeId: idBytes(message.node),
      bootId: message.bootId,
      instance: idBytes(message.instance),
      role: ROLES.number(message.role),
      data: DATA_STATES.number(message.data),
      current: idBytes(message.current),
      base: idBytes(message.base),
      history: message.history.slice(0, GENERATION_HISTORY_MAX).map(idBytes),
      wentAlone: message.wentAlone,
      empty: message.empty,
      mode: MODES.number(message.mode),
      clockMs: Math.round(message.clockMs),
      software: message.software,
      overwritePeer: message.overwritePeer,
      discardMine: message.discardMine,
      clean: message.clean,
    }),
  readHello,
);

/** Version and features first: another version's Hello may mean something else by the rest. */
function readHello(message: Buffer): Hello {
  boundRepeated(message, [11], GENERATION_HISTORY_MAX);
  const from = pb.Hello.decode(message);
  const features = check.bits64(from.features, 'features');
  const software = check.word(from.software, 'software');
  const refused = refusal({ protocol: from.protocol, features, software });
  if (refused !== null) throw new ProtocolError('wrong-version', refused.text);
  return {
    type: 'hello',
    protocol: from.protocol,
    features,
    mirror: check.id(from.mirrorId, 'mirror_id'),
    node: check.id(from.nodeId, 'node_id'),
    bootId: check.word(from.bootId, 'boot_id'),
    instance: check.id(from.instance, 'instance'),
    role: ROLES.name(from.role, 'role'),
    data: DATA_STATES.name(from.data, 'data'),
    current: check.id(from.current, 'current'),
    base: check.id(from.base, 'base'),
    history: ids(from.history, 'history'),
    wentAlone: from.wentAlone,
    empty: from.empty,
    mode: MODES.name(from.mode, 'mode'),
    clockMs: check.signed(from.clockMs, 'clock_ms'),
    software,
    overwritePeer: from.overwritePeer,
    discardMine: from.discardMine,
    clean: from.clean,
  };
}

export const ids = (values: readonly Uint8Array[], field: string): string[] =>
  values.map((value, at) => check.id(value, `${field}[${at}]`));

export const refuse = plain<Refuse>(
  2,
  (message) => pb.Refuse.encode({ code: message.code, text: sentence(message.text) }),
  (bytes) => {
    const from = pb.Refuse.decode(bytes);
    return {
      type: 'refuse',
      code: check.word(from.code, 'code'),
      text: check.text(from.text, 'text'),
    };
  },
);

export const decision = plain<DecisionMessage>(
  3,
  (message) =>
    pb.Decision.encode({
      kind: message.kind,
      rule: message.rule,
      mirrorId: idBytes(message.mirror),
    }),
  (bytes) => {
    const from = pb.Decision.decode(bytes);
    if (from.kind !== 'full-resync') throw badField('kind', 'no meaning');
    return {
      type: 'decision',
      kind: from.kind,
      rule: check.word(from.rule, 'rule'),
      mirror: check.id(from.mirrorId, 'mirror_id'),
    };
  },
);

export const ping = plain<Ping>(
  6,
  (message) => pb.Ping.encode({ number: message.number }),
  (bytes) => ({ type: 'ping', number: check.whole(pb.Ping.decode(bytes).number, 'number') }),
);

export const pong = plain<Pong>(
  7,
  (message) => pb.Pong.encode({ number: message.number }),
  (bytes) => ({ type: 'pong', number: check.whole(pb.Pong.decode(bytes).number, 'number') }),
);

/** One for every batch of ops, so written and read directly, like ops (op-writer.ts). */
export const ack: MessageCodec<AckMessage> = {
  number: 5,
  write: (to, { received, applied, durable, failed, space }) => {
    to.uint(1, received);
    to.uint(2, applied);
    to.uint(3, durable);
    if (failed !== null) {
      to.uint(4, failed.seq);
      to.uint(5, failed.errno);
      to.text(6, sentence(failed.text));
    }
    if (space !== null) {
      to.uintAlways(7, space.freeBytes);
      to.uint(8, space.availableBytes);
      to.uint(9, space.freeFiles);
    }
    return NO_PAYLOAD;
  },
  read: (message, payload) => {
    noPayload(payload);
    return readAck(message);
  },
};

function readAck(message: Buffer): AckMessage {
  const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  let text = '';
  let hasSpace = false;
  const from = reader(message);
  while (from.pos < from.len) {
    const tag = from.uint32();
    const field = tag >>> 3;
    if (tag === 50) {
      text = from.string();
    } else if ((tag & 7) === 0 && field >= 1 && field <= 9) {
      numbers[field] = Number(from.uint64());
      if (field === 7) hasSpace = true;
    } else {
      from.skipType(tag & 7);
    }
  }
  return ackOf(numbers, text, hasSpace);
}

function ackOf(numbers: readonly number[], text: string, hasSpace: boolean): AckMessage {
  const at = (field: number, what: string): number => check.whole(numbers[field] ?? 0, what);
  const received = at(1, 'received');
  const applied = at(2, 'applied');
  const durable = at(3, 'durable');
  if (applied > received) throw badField('applied', 'beyond received');
  if (durable > applied) throw badField('durable', 'beyond applied');
  const seq = at(4, 'failed_seq');
  const failed =
    seq === 0
      ? null
      : {
          seq,
          errno: check.errno(numbers[5] ?? 0, 'failed_errno'),
          text: check.text(text, 'failed_text'),
        };
  const space = hasSpace
    ? {
        freeBytes: at(7, 'free_bytes'),
        availableBytes: at(8, 'available_bytes'),
        freeFiles: at(9, 'free_files'),
      }
    : null;
  return { type: 'ack', received, applied, durable, failed, space };
}
