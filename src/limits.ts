/**
 * Every bound in one place, each with what happens at it. Relations between them are asserted at
 * the end. Bytes unless the name says otherwise.
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
/**
 * Sentences for the operator are cut here when sent; stable names, versions and boot ids are
 * refused.
 */
export const TEXT_BYTES_MAX = 4096;
export const WORD_BYTES_MAX = 128;
/**
 * Cut point of DirList parts and of the hashes in one FileHashes, well below
 * FRAME_MESSAGE_BYTES_MAX.
 */
export const PART_MESSAGE_BYTES_MAX = MIB;
export const HASHES_BYTES_MAX = 512 * KIB;

/**
 * Payloads up to here are copied next to their frame's head: cheaper than one more part in
 * writev(2).
 */
export const COPY_PART_BYTES_MAX = 8 * KIB;
/** As many of them in one frame. */
export const COPY_BYTES_MAX = 64 * KIB;
/** Heads of frames are cut from pieces of this size. */
export const SEND_SLAB_BYTES = 64 * KIB;
/**
 * Bytes are received into pieces of this size; frames are views of it, so it lives as long as they
 * do.
 */
export const RECEIVE_SLAB_BYTES = 256 * KIB;
/**
 * Bytes taken by `send` and not by the kernel: above the first `send` says wait, below the second
 * `drained`.
 */
export const LINK_SEND_HIGH_BYTES = 4 * MIB;
export const LINK_SEND_LOW_BYTES = MIB;
/** How long a closing link may take to hand over its last messages before it is cut. */
export const LINK_LINGER_MS = 1_000;
/** Connections a server has at once; further ones are closed unheard. */
export const LINKS_MAX = 16;
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
/** A paused socket goes on once no more than this is left to apply. */
export const RECEIVE_QUEUE_RESUME_BYTES = 16 * MIB;
/** Milliseconds of applying before the event loop gets its turn. */
export const APPLY_SLICE_MS = 2;
/** The primary's fsyncs under way at once; further ones are covered by a group commit instead. */
export const APPLY_FSYNCS_MAX = 2;
/** An acknowledgement that no caller waits for may be this late, so that one serves many ops. */
export const ACK_DELAY_MS = 2;
/** A semi-sync receipt is acknowledged only while free space exceeds what is queued plus this. */
export const RECEIPT_FREE_MARGIN_BYTES = 64 * MIB;

/** Marks kept by a running resync; at the bound the resync starts over with a full comparison. */
export const MARKS_MAX = 1_000_000;
/** Entries of one DirList part. */
export const DIR_LIST_ENTRIES_MAX = 1000;
/** Files under comparison at once. */
export const SYNC_FILES_OPEN_MAX = 32;
/** Of those, files of more than SYNC_SEGMENT_BYTES (disks dislike many large readers). */
export const SYNC_BIG_FILES_OPEN_MAX = 4;
/** Directories listed at once, and files waiting for their turn at which the walk waits. */
export const SYNC_DIRS_OPEN_MAX = 8;
export const SYNC_FILES_QUEUE_MAX = 4096;
/**
 * Bytes of file data read or sent and not yet credited by the target; at the bound the source
 * waits.
 */
export const SYNC_WINDOW_BYTES_MAX = 16 * MIB;
/** The target credits written data in steps of about this much. */
export const SYNC_CREDIT_BYTES = 256 * KIB;
/** Files up to this size are read once, hashed and sent from memory, their hashes in FileOpen. */
export const SYNC_SMALL_FILE_BYTES = 128 * KIB;
/**
 * Larger ones are hashed in pieces of this size, and their differing blocks sent in runs of at most
 * this.
 */
export const SYNC_SEGMENT_BYTES = 8 * MIB;
export const SYNC_DATA_BYTES_MAX = MIB;
/**
 * Blocks of a comparison: powers of two between these, about SYNC_BLOCKS_WANTED of them per file.
 */
export const SYNC_BLOCK_BYTES_MIN = 4 * KIB;
export const SYNC_BLOCK_BYTES_MAX = MIB;
export const SYNC_BLOCKS_WANTED = 65_536;
/**
 * Hash workers (threads), jobs waiting for them (callers are bounded by open files), and idle time
 * to end.
 */
export const HASH_WORKERS_MAX = 2;
export const HASH_QUEUE_MAX = 1024;
export const HASH_BATCH_JOBS_MAX = 32;
export const HASH_BATCH_BYTES_MAX = 2 * MIB;
export const HASH_IDLE_MS = 3_000;
export const SYNC_PROGRESS_INTERVAL_MS = 500;
/** Milliseconds the target works on a directory before it lets the event loop go on. */
export const SYNC_TURN_MS = 10;
/**
 * Data up to this size is written at once, which is cheaper than a thread; above it could take
 * long.
 */
export const SYNC_WRITE_INLINE_BYTES = 64 * KIB;
/** The last pass of a resync (writers held) starts when no more than this is left. */
export const SYNC_FREEZE_BYTES_MAX = 8 * MIB;
export const SYNC_FREEZE_MARKS_MAX = 500;
/** After this many passes writers are slowed so that the resync converges. */
export const SYNC_PASSES_FREE_MAX = 4;
/**
 * Files to read in the last pass while writers are held; more only after SYNC_PASSES_FREE_MAX
 * passes.
 */
export const SYNC_FREEZE_READ_BYTES_MAX = 256 * MIB;
/** After this many passes writers are held for whatever is left. */
export const SYNC_PASSES_MAX = 12;
/** Last passes that did not complete after which the resync gives up ("sync-not-converging"). */
export const SYNC_FREEZE_FAILURES_MAX = 5;

export const PEER_TIMEOUT_MS_DEFAULT = 3_000;
export const PEER_TIMEOUT_MS_MIN = 200;
export const PING_INTERVAL_MS = 500;
export const HANDSHAKE_TIMEOUT_MS = 5_000;
export const DIAL_TIMEOUT_MS = 3_000;
/**
 * How long a primary that leaves waits for its peer to confirm what was sent; then it leaves
 * unclean.
 */
export const LEAVE_TIMEOUT_MS = 60_000;
/** A throttled writer is held for this long of every period, by level of throttling. */
export const THROTTLE_PERIOD_MS = 100;
export const THROTTLE_HELD_MS: readonly number[] = [0, 50, 80, 95];
export const RECONNECT_MIN_MS = 250;
export const RECONNECT_MAX_MS = 10_000;
/**
 * How often a connection is judged: a lost peer is noticed this much after its time-out at most.
 */
export const CONNECTION_TICK_MS = 100;
/**
 * A tick that comes this late says that this node itself stood still: the peer is not judged yet.
 */
export const LATE_TICK_MS = 1_000;
/** A link that lasted this long was good: the next loss starts from the shortest back-off again. */
export const LINK_GOOD_MS = 30_000;
export const TIMES_DELAY_MS = 250;
/**
 * Inodes the portable engine keeps numbers for; at the bound half of the idle ones are forgotten.
 */
export const PORTABLE_NODES_MAX = 100_000;
/** How often the portable engine looks whether it is still mounted. */
export const PORTABLE_MOUNT_POLL_MS = 500;
export const SPACE_INTERVAL_MS = 1_000;
export const CONTROL_LINE_BYTES_MAX = MIB;
export const CONTROL_TIMEOUT_MS = 10_000;
/** Control commands that wait for disks or the peer (flush, umount, promote …). */
export const CONTROL_SLOW_TIMEOUT_MS = 120_000;
/** Control connections at once; further ones are closed. */
export const CONTROL_CONNECTIONS_MAX = 64;
/** A daemon that ends waits this long for clients of the control socket to take their replies. */
export const DAEMON_END_TIMEOUT_MS = 1_000;
/** How often a primary told to end tries again to unmount what is in use. */
export const SHUTDOWN_RETRY_MS = 250;
/** A daemon told to end while it still starts gives the start this long. */
export const DAEMON_START_ABORT_MS = 5_000;
/** After umount or stop the command line waits this long for the daemon's process to be gone. */
export const DAEMON_GONE_TIMEOUT_MS = 15_000;
/** `--wait-synced` without any connection to the peer gives up after this; the mount stays. */
export const WAIT_CONNECT_TIMEOUT_MS = 30_000;
/** After a mount the command line looks this long whether the peer is there, to warn if not. */
export const FIRST_CONTACT_TIMEOUT_MS = 1_000;
/** How often the command line asks while it waits. */
export const WAIT_POLL_MS = 250;
/** A path that does not answer stat(2) in this time is taken as there. */
export const PATH_PROBE_TIMEOUT_MS = 2_000;
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
assert(
  SYNC_FILES_OPEN_MAX * SYNC_SMALL_FILE_BYTES + SYNC_DATA_BYTES_MAX <= SYNC_WINDOW_BYTES_MAX,
  'small files under comparison leave room in the window for a run of a large one',
);
assert(DIR_LIST_ENTRIES_MAX <= NAMES_PER_MESSAGE_MAX, 'the answer to a list part fits a frame');
assert(SYNC_DATA_BYTES_MAX <= FRAME_PAYLOAD_BYTES_MAX, 'file data fits a frame');
assert(QUEUE_BYTES_MIN >= BATCH_PAYLOAD_BYTES_MAX, 'the queue holds a batch');
assert(PING_INTERVAL_MS < PEER_TIMEOUT_MS_DEFAULT, 'a ping precedes the time-out');
assert(PART_MESSAGE_BYTES_MAX <= FRAME_MESSAGE_BYTES_MAX / 2, 'a part with one large entry fits');
assert(HASHES_BYTES_MAX + PATH_BYTES_MAX <= FRAME_MESSAGE_BYTES_MAX, 'hashes fit a frame');
assert(LINK_SEND_LOW_BYTES < LINK_SEND_HIGH_BYTES, 'drained comes below the wait mark');
assert(RECEIVE_QUEUE_RESUME_BYTES < RECEIVE_QUEUE_BYTES_MAX, 'receiving resumes below the bound');
assert(QUEUE_BYTES_MAX / OP_CHARGE_BYTES_MIN < OUTBOX_OPS_MAX, 'the bytes bound the ops');
