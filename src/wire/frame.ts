/**
 * Frames: a fixed prefix, a protobuf message and a raw payload. Little endian:
 *
 *    0 u32 magic            "twfs"
 *    4 u8  version          FRAME_VERSION
 *    5 u8  type             which message (codec.ts)
 *    6 u16 flags            1: the checksum is there; others are refused
 *    8 u32 message bytes    ≤ FRAME_MESSAGE_BYTES_MAX
 *   12 u32 payload bytes    ≤ FRAME_PAYLOAD_BYTES_MAX
 *   16 u32 prefix check     xxh32 of bytes 0–15: a damaged length is found at once
 *   20 u64 checksum         xxh64 of the whole frame with this field zero; zero without flag 1
 *   28 message, payload
 *
 * The decoder checks every length before it allocates, holds one slab and at most one incomplete
 * frame, and copies each byte once, to where it stays; the frames it gives are views of that
 * memory. (Reading straight to there, with net's `onread`, was measured slower: see
 * docs/protocol.md.)
 */
import { assert } from '../assert.js';
import { FRAME_MESSAGE_BYTES_MAX, FRAME_PAYLOAD_BYTES_MAX, RECEIVE_SLAB_BYTES } from '../limits.js';
import { hash32, hash64, hash64Parts } from './hash.js';
import { ProtocolError } from './protocol-error.js';

export const FRAME_VERSION = 1;
export const PREFIX_BYTES = 28;
const MAGIC = 0x73667774; // "twfs"
const FLAG_CHECKSUM = 1;
const CHECKED_BYTES = 16;
const CHECKSUM_AT = 20;

export interface Frame {
  readonly type: number;
  readonly message: Buffer;
  readonly payload: Buffer;
}

/**
 * Completes `head`, whose first PREFIX_BYTES are free and whose rest is the message (and, up to
 * `payloadInHead` bytes, the beginning of the payload), and gives the parts to be sent in order.
 * Parts of `rest` are not copied and must not change until they are sent.
 */
export function sealFrame(
  head: Buffer,
  type: number,
  payloadInHead: number,
  rest: readonly Buffer[],
  checksum: boolean,
): Buffer[] {
  const messageBytes = head.length - PREFIX_BYTES - payloadInHead;
  const payloadBytes = rest.reduce((sum, part) => sum + part.length, payloadInHead);
  assert(messageBytes >= 0, 'the head holds a prefix');
  assert(messageBytes <= FRAME_MESSAGE_BYTES_MAX, 'a message within FRAME_MESSAGE_BYTES_MAX');
  assert(payloadBytes <= FRAME_PAYLOAD_BYTES_MAX, 'a payload within FRAME_PAYLOAD_BYTES_MAX');
  head.writeUInt32LE(MAGIC, 0);
  head[4] = FRAME_VERSION;
  head[5] = type;
  head.writeUInt16LE(checksum ? FLAG_CHECKSUM : 0, 6);
  head.writeUInt32LE(messageBytes, 8);
  head.writeUInt32LE(payloadBytes, 12);
  head.writeUInt32LE(hash32(head.subarray(0, CHECKED_BYTES)), CHECKED_BYTES);
  head.fill(0, CHECKSUM_AT, PREFIX_BYTES);
  const parts = [head, ...rest];
  if (checksum) head.writeBigUInt64LE(hash64Parts(parts), CHECKSUM_AT);
  return parts;
}

export interface FrameDecoderOptions {
  /** Refuse frames without a checksum; false only where the channel protects the bytes (TLS). */
  readonly checksum: boolean;
}

/** Takes arbitrary chunks and gives whole frames. After a ProtocolError it is of no use. */
export class FrameDecoder {
  readonly #checksum: boolean;
  /**
   * Memory for small frames, used front to back and then replaced: frames given are views of it.
   */
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;
  /** Where the current frame is assembled: the slab, or memory of its own when it is large. */
  #buffer: Buffer = this.#slab;
  #start = 0;
  #have = 0;
  /** Length of the current frame; 0 until its prefix is complete. */
  #need = 0;

  constructor(options: FrameDecoderOptions) {
    this.#checksum = options.checksum;
  }

  /** Bytes of the frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#have;
  }

  /**
   * Copies `chunk` to where its frames stay and gives `take` each that is complete and undamaged.
   */
  push(chunk: Buffer, take: (frame: Frame) => void): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#have === 0) this.#begin();
      const wanted = this.#need === 0 ? PREFIX_BYTES : this.#need;
      const bytes = Math.min(wanted - this.#have, chunk.length - at);
      chunk.copy(this.#buffer, this.#start + this.#have, at, at + bytes);
      at += bytes;
      this.#have += bytes;
      if (this.#have < wanted) return;
      if (this.#need === 0) this.#prefixComplete();
      if (this.#have === this.#need) take(this.#frame());
    }
  }

  /** A new frame starts in the slab, whatever its length will be. */
  #begin(): void {
    if (this.#slab.length - this.#slabUsed < PREFIX_BYTES) this.#newSlab();
    this.#buffer = this.#slab;
    this.#start = this.#slabUsed;
  }

  #newSlab(): void {
    this.#slab = Buffer.allocUnsafeSlow(RECEIVE_SLAB_BYTES);
    this.#slabUsed = 0;
  }

  /** Checks the lengths, and only then finds memory for the frame. */
  #prefixComplete(): void {
    this.#need = frameBytes(this.#buffer, this.#start);
    if (this.#start + this.#need <= this.#slab.length) return;
    const prefix = this.#buffer.subarray(this.#start, this.#start + PREFIX_BYTES);
    if (this.#need > RECEIVE_SLAB_BYTES / 2) {
      this.#buffer = Buffer.allocUnsafeSlow(this.#need);
    } else {
      this.#newSlab();
      this.#buffer = this.#slab;
    }
    this.#start = 0;
    prefix.copy(this.#buffer);
  }

  #frame(): Frame {
    const at = this.#start;
    const end = at + this.#need;
    verifyChecksum(this.#buffer.subarray(at, end), this.#checksum);
    if (this.#buffer === this.#slab) this.#slabUsed = end;
    this.#have = 0;
    this.#need = 0;
    const messageEnd = at + PREFIX_BYTES + this.#buffer.readUInt32LE(at + 8);
    return {
      type: this.#buffer.readUInt8(at + 5),
      message: this.#buffer.subarray(at + PREFIX_BYTES, messageEnd),
      payload: this.#buffer.subarray(messageEnd, end),
    };
  }
}

/**
 * Checks the prefix at `at` and gives the length of the whole frame. Nothing is allocated before
 * this.
 */
function frameBytes(buffer: Buffer, at: number): number {
  const magic = buffer.readUInt32LE(at);
  if (magic !== MAGIC) {
    const first = buffer.toString('hex', at, at + 4);
    throw new ProtocolError('bad-magic', `the peer does not speak twinfs (it sent 0x${first}…)`);
  }
  const version = buffer.readUInt8(at + 4);
  if (version !== FRAME_VERSION) {
    throw new ProtocolError(
      'wrong-version',
      `the peer sends frames of version ${version}, this twinfs speaks version ${FRAME_VERSION}; ` +
        'run the same version on both nodes',
    );
  }
  const check = hash32(buffer.subarray(at, at + CHECKED_BYTES));
  if (check !== buffer.readUInt32LE(at + CHECKED_BYTES)) {
    throw new ProtocolError('bad-checksum', 'the prefix of a frame was damaged on the way');
  }
  const flags = buffer.readUInt16LE(at + 6);
  if ((flags & ~FLAG_CHECKSUM) !== 0) {
    throw new ProtocolError(
      'wrong-version',
      `the peer uses unknown frame flags (0x${flags.toString(16)})`,
    );
  }
  const message = bounded(buffer.readUInt32LE(at + 8), FRAME_MESSAGE_BYTES_MAX, 'message');
  const payload = bounded(buffer.readUInt32LE(at + 12), FRAME_PAYLOAD_BYTES_MAX, 'payload');
  return PREFIX_BYTES + message + payload;
}

function bounded(bytes: number, max: number, what: string): number {
  if (bytes <= max) return bytes;
  throw new ProtocolError(
    'frame-too-long',
    `the peer announced a ${what} of ${bytes} bytes, more than ${max}`,
  );
}

function verifyChecksum(frame: Buffer, required: boolean): void {
  const present = (frame.readUInt16LE(6) & FLAG_CHECKSUM) !== 0;
  if (!present) {
    if (required)
      throw new ProtocolError('bad-checksum', 'the peer sent a frame without a checksum');
    return;
  }
  const sent = frame.readBigUInt64LE(CHECKSUM_AT);
  frame.fill(0, CHECKSUM_AT, PREFIX_BYTES);
  if (hash64(frame) !== sent) {
    throw new ProtocolError('bad-checksum', 'a frame was damaged on the way');
  }
}
