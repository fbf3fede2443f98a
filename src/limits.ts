/**
 * Every bound in one place, each with what happens at it. Relations between them are asserted at the end.
 * Bytes unless the name says otherwise.
 */
import { assert } from './assert.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Largest WRITE the kernel is told to send; larger writes arrive in several requests. */
export const WRITE_BYTES_MAX = MIB;
/** Payloads from here on are handed over without copying. */
export const LARGE_PAYLOAD_BYTES = 64 * KIB;
/** Protobuf part of a frame; a longer one closes the link ("frame-too-long"). */
export const FRAME_MESSAGE_BYTES_MAX = 2 * MIB;
/** Raw part of a frame; a longer one closes the link ("frame-too-long"). */
export const FRAME_PAYLOAD_BYTES_MAX = 8 * MIB;
/** A batch of ops is cut into another frame at these. */
export const BATCH_OPS_MAX = 4096;
export const BATCH_PAYLOAD_BYTES_MAX = 4 * MIB;
export const BATCH_MESSAGE_BYTES_MAX = MIB;
/** File name and xattr limits of Linux; longer ones in a message close the link ("bad-message"). */
export const NAME_BYTES_MAX = 255;
export const SYMLINK_BYTES_MAX = 4096;
export const XATTR_NAME_BYTES_MAX = 255;
export const XATTR_VALUE_BYTES_MAX = 64 * KIB;
/** A resync path; deeper trees stop the resync with a named error. */
export const PATH_BYTES_MAX = 64 * KIB;
/** Xattrs of all entries of one message; more close the link ("bad-message"). */
export const XATTRS_PER_MESSAGE_MAX = 128 * KIB;
/** Names a DirResult gives back: no more than a DirList has. */
export const NAMES_PER_MESSAGE_MAX = 4096;
/** Sentences for the operator are cut here when sent; stable names, versions and boot ids are refused. */
export const TEXT_BYTES_MAX = 4096;
export const WORD_BYTES_MAX = 128;
/** Cut point of DirList parts and of the hashes in one FileHashes, well below FRAME_MESSAGE_BYTES_MAX. */
export const PART_MESSAGE_BYTES_MAX = MIB;
export const HASHES_BYTES_MAX = 512 * KIB;

/** Payloads up to here are copied next to their frame's head: cheaper than one more part in writev(2). */
export const FRAME_COPY_BYTES_MAX = 8 * KIB;
/** Bytes are received into pieces of this size; frames are views of it, so it lives as long as they do. */
export const RECEIVE_SLAB_BYTES = 256 * KIB;
/** Least room offered to one read, and most where no large frame says how much it needs. */
export const RECEIVE_READ_BYTES_MIN = 16 * KIB;
export const RECEIVE_READ_BYTES_MAX = 64 * KIB;
/** Bytes taken by `send` and not by the kernel: above the first `send` says wait, below the second `drained`. */
export const LINK_SEND_HIGH_BYTES = 4 * MIB;
export const LINK_SEND_LOW_BYTES = MIB;
/** How long a closing link may take to hand over its last messages before it is cut. */
export const LINK_LINGER_MS = 1_000;
/** TCP keepalive starts after this much silence; the protocol's own pings are faster. */
export const LINK_KEEPALIVE_MS = 10_000;

/** Default of `queue_bytes`: un-acknowledged changes kept; at the bound callers wait. */
export const QUEUE_BYTES_DEFAULT = 64 * MIB;
export const QUEUE_BYTES_MIN = 8 * MIB;
export const QUEUE_BYTES_MAX = 4096 * MIB;
/** An op in the queue is charged at least its record; so this many ops cannot be in it. */
export const OP_CHARGE_BYTES_MIN = 96;
export const OUTBOX_OPS_MAX = 48 * MIB;
/** Bytes a receiver may hold decoded and not yet applied; above it the socket is paused. */
export const RECEIVE_QUEUE_BYTES_MAX = 32 * MIB;
/** A semi-sync receipt is acknowledged only while free space exceeds what is queued plus this. */
export const RECEIPT_FREE_MARGIN_BYTES = 64 * MIB;

/** Marks kept by a running resync; at the bound the resync starts over with a full comparison. */
export const MARKS_MAX = 1_000_000;
/** Entries of one DirList part. */
export const DIR_LIST_ENTRIES_MAX = 1000;
/** Files under comparison at once. */
export const SYNC_FILES_OPEN_MAX = 32;
/** Bytes of differing blocks sent and not yet taken by the socket; at the bound the source waits. */
export const SYNC_WINDOW_BYTES_MAX = 16 * MIB;
/** The last pass of a resync (writers held) starts when no more than this is left. */
export const SYNC_FREEZE_BYTES_MAX = 8 * MIB;
export const SYNC_FREEZE_MARKS_MAX = 500;
/** After this many passes writers are slowed so that the resync converges. */
export const SYNC_PASSES_FREE_MAX = 4;

export const PEER_TIMEOUT_MS_DEFAULT = 3_000;
export const PEER_TIMEOUT_MS_MIN = 200;
export const PING_INTERVAL_MS = 500;
export const HANDSHAKE_TIMEOUT_MS = 5_000;
export const RECONNECT_MIN_MS = 250;
export const RECONNECT_MAX_MS = 10_000;
export const TIMES_DELAY_MS = 250;
/** Inodes the portable engine keeps numbers for; at the bound half of the idle ones are forgotten. */
export const PORTABLE_NODES_MAX = 100_000;
/** How often the portable engine looks whether it is still mounted. */
export const PORTABLE_MOUNT_POLL_MS = 500;
export const SPACE_INTERVAL_MS = 1_000;
export const CONTROL_LINE_BYTES_MAX = MIB;
export const CONTROL_TIMEOUT_MS = 10_000;
/** Log lines not yet written; at the bound further lines are dropped. */
export const LOG_PENDING_BYTES_MAX = MIB;
export const GENERATION_HISTORY_MAX = 32;

assert(
  BATCH_PAYLOAD_BYTES_MAX + WRITE_BYTES_MAX <= FRAME_PAYLOAD_BYTES_MAX,
  'a batch fits a frame',
);
assert(
  BATCH_MESSAGE_BYTES_MAX + XATTR_VALUE_BYTES_MAX + KIB <= FRAME_MESSAGE_BYTES_MAX,
  'ops fit a frame',
);
assert(QUEUE_BYTES_MIN >= BATCH_PAYLOAD_BYTES_MAX, 'the queue holds a batch');
assert(PING_INTERVAL_MS < PEER_TIMEOUT_MS_DEFAULT, 'a ping precedes the time-out');
assert(PART_MESSAGE_BYTES_MAX <= FRAME_MESSAGE_BYTES_MAX / 2, 'a part with one large entry fits');
assert(HASHES_BYTES_MAX + PATH_BYTES_MAX <= FRAME_MESSAGE_BYTES_MAX, 'hashes fit a frame');
assert(RECEIVE_READ_BYTES_MIN < RECEIVE_SLAB_BYTES, 'a slab holds several reads');
assert(LINK_SEND_LOW_BYTES < LINK_SEND_HIGH_BYTES, 'drained comes below the wait mark');
assert(QUEUE_BYTES_MAX / OP_CHARGE_BYTES_MIN < OUTBOX_OPS_MAX, 'the bytes bound the ops');
