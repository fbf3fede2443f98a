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

/** Default of `queue_bytes`: un-acknowledged changes kept; at the bound callers wait. */
export const QUEUE_BYTES_DEFAULT = 64 * MIB;
export const QUEUE_BYTES_MIN = 8 * MIB;
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
