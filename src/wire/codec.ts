/**
 * Message ↔ frame. The rest of the program sees plain, checked messages (messages.ts); what they
 * look like as protobuf is in session-codec.ts, resync-codec.ts and op-*.ts, one MessageCodec for
 * each type.
 */
import { AssertionError } from '../assert.js';
import { errorText } from '../errors.js';
import { COPY_BYTES_MAX, COPY_PART_BYTES_MAX, SEND_SLAB_BYTES } from '../limits.js';
import { ByteWriter } from './byte-writer.js';
import { PREFIX_BYTES, sealFrame, type Frame } from './frame.js';
import type { MessageCodec } from './message-codec.js';
import type { Message, MessageType, OpsMessage } from './messages.js';
import { readOps } from './op-reader.js';
import { writeOps } from './op-writer.js';
import { ProtocolError } from './protocol-error.js';
import * as resync from './resync-codec.js';
import * as session from './session-codec.js';

const ops: MessageCodec<OpsMessage> = { number: 4, write: writeOps, read: readOps };

/** Every type has its codec, or this does not compile. */
const CODECS: { readonly [T in MessageType]: MessageCodec<Extract<Message, { type: T }>> } = {
  hello: session.hello,
  refuse: session.refuse,
  decision: session.decision,
  ops,
  ack: session.ack,
  ping: session.ping,
  pong: session.pong,
  dirList: resync.dirList,
  dirResult: resync.dirResult,
  fileOpen: resync.fileOpen,
  fileHashes: resync.fileHashes,
  fileData: resync.fileData,
  fileClose: resync.fileClose,
  fileDone: resync.fileDone,
  syncCredit: resync.syncCredit,
  syncProgress: resync.syncProgress,
  syncEnd: resync.syncEnd,
  syncStored: resync.syncStored,
};

const codecOf = (type: MessageType): MessageCodec<Message> => CODECS[type];

const TYPES: (MessageType | undefined)[] = [];
for (const type of Object.keys(CODECS) as MessageType[]) TYPES[codecOf(type).number] = type;

export interface EncodeOptions {
  /** False only where the channel protects the bytes (TLS) and the receiver knows it. */
  readonly checksum: boolean;
}

/** Encoding is synchronous, so one scratch buffer serves all. */
const scratch = new ByteWriter(SEND_SLAB_BYTES);
let slab: Buffer = Buffer.alloc(0);

/**
 * Memory for a frame's head, cut from a larger piece: an allocation of its own costs more than the
 * copy.
 */
function headMemory(bytes: number): Buffer {
  if (bytes > SEND_SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
  if (bytes > slab.length) slab = Buffer.allocUnsafeSlow(SEND_SLAB_BYTES);
  const head = slab.subarray(0, bytes);
  slab = slab.subarray(bytes);
  return head;
}

/**
 * The message as parts to be sent in order. Large payloads are parts of their own, not copied: they
 * must not change until they are sent. Asserts that the message fits a frame (batches.ts cuts ops;
 * see `entryBytes`).
 */
export function encode(message: Message, options: EncodeOptions): Buffer[] {
  const codec = codecOf(message.type);
  scratch.start(PREFIX_BYTES);
  const payload = codec.write(scratch, message);
  const written = scratch.written;
  const copied = copiedParts(payload);
  const head = headMemory(written.length + copied.bytes);
  written.copy(head, PREFIX_BYTES, PREFIX_BYTES);
  let at = written.length;
  for (const part of payload.slice(0, copied.parts)) {
    head.set(part, at);
    at += part.length;
  }
  const rest = payload.slice(copied.parts);
  return sealFrame(head, codec.number, copied.bytes, rest, options.checksum);
}

/** How many parts from the beginning go next to the head, and their bytes. */
function copiedParts(payload: readonly Buffer[]): { parts: number; bytes: number } {
  let parts = 0;
  let bytes = 0;
  for (const part of payload) {
    if (part.length > COPY_PART_BYTES_MAX || bytes + part.length > COPY_BYTES_MAX) break;
    parts += 1;
    bytes += part.length;
  }
  return { parts, bytes };
}

/** The checked message of a frame; its Buffers are views of the frame. Throws ProtocolError. */
export function decode(frame: Frame): Message {
  const type = TYPES[frame.type];
  if (type === undefined) {
    throw new ProtocolError(
      'unknown-type',
      `the peer sent a message of unknown type ${frame.type}; ` +
        'run the same twinfs version on both nodes',
    );
  }
  try {
    return codecOf(type).read(frame.message, frame.payload);
  } catch (error) {
    if (error instanceof AssertionError) throw error;
    const code = error instanceof ProtocolError ? error.code : 'bad-message';
    throw new ProtocolError(code, `${type} message: ${errorText(error)}`, error);
  }
}
