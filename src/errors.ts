/**
 * One error class with a stable code, and the exit codes of the command line: numbered, never
 * re-used, documented in docs/operations.md and twinfs(8).
 */
export const EXIT = {
  ok: 0,
  /** Something failed that has no code of its own; the message says what. */
  failed: 1,
  /** Wrong command line or option value. */
  usage: 2,
  /** DIR missing, not a directory, or inside itself or its own state. */
  badDirectory: 3,
  /** DIR is mounted or served already. */
  alreadyMounted: 4,
  /** DIR is in use (open files, working directories, busy umount). */
  inUse: 5,
  /** The port is taken or the address is not ours. */
  address: 6,
  /** No /dev/fuse, or an engine that cannot run here. */
  noFuse: 7,
  /** Not root. */
  notRoot: 8,
  /** Peer unreachable (--require-peer, --wait-synced). */
  peerUnreachable: 9,
  /** Refused for the data's sake; the message names the override. */
  refused: 10,
  /** No daemon answers for DIR. */
  notRunning: 11,
  /** The state directory is unusable, torn, or of another mirror. */
  badState: 12,
  /** The peer speaks another version or broke the protocol. */
  protocol: 13,
  /** Plaintext beyond loopback without --insecure. */
  insecure: 14,
  /** A time limit passed (flush, wait-synced). */
  timedOut: 15,
  /** An assertion failed: a bug. The daemon stopped before it could harm a copy. */
  bug: 70,
} as const;
export type ExitName = keyof typeof EXIT;

export class TwinfsError extends Error {
  override name = 'TwinfsError';
  /** Stable, kebab-case: "dir-missing", "two-primaries". */
  readonly code: string;
  readonly exit: ExitName;

  /** `message` says what happened and what to do next. */
  constructor(code: string, exit: ExitName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.exit = exit;
  }
}

export const errorText = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
