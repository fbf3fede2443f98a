/**
 * What the parts of the source share: the tree, the conversation, the workers, and the running
 * totals.
 */
import { TwinfsError } from '../errors.js';
import type { SyncTree } from '../io/tree.js';
import type { Problem } from '../wire/messages.js';
import type { HashPool } from './hash-pool.js';
import { isGone, showPath } from './meta.js';
import type { SourceChannel } from './source-channel.js';

/** Running totals, for progress. Files are regular files. */
export interface Totals {
  pass: number;
  filesDone: number;
  filesTotal: number;
  bytesDone: number;
  bytesTotal: number;
  bytesSent: number;
}

export interface SourceIo {
  readonly tree: SyncTree;
  readonly channel: SourceChannel;
  readonly pool: HashPool;
  readonly totals: Totals;
}

/**
 * Runs a read of the source's tree: null when the path is gone, a named error when the disk fails.
 */
export function orGone<T>(path: Buffer, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return null;
    throw readError(path, error);
  }
}

export function readError(path: Buffer, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof TwinfsError || code === undefined) return error as Error;
  if (code === 'ENAMETOOLONG') {
    return new TwinfsError(
      'path-too-long',
      'failed',
      `${showPath(path)}: this path is longer than a resync can carry; move it up or remove it, the resync is tried again`,
      error,
    );
  }
  return new TwinfsError(
    'source-read-error',
    'failed',
    `cannot read ${showPath(path)} on this node (${message}); check its disk, the resync is tried again`,
    error,
  );
}

const EIO = 5;
const ENOSPC = 28;
const EROFS = 30;
const EDQUOT = 122;

/** The target's problem as the error that ends the resync. */
export function targetError(problem: Problem): TwinfsError {
  const named = (code: string, advice: string): TwinfsError =>
    new TwinfsError(code, 'failed', `on the peer: ${problem.text}; ${advice}`);
  switch (problem.errno) {
    case ENOSPC:
    case EDQUOT:
      return named('target-disk-full', 'make room there, the resync is tried again');
    case EROFS:
      return named('target-read-only', 'its filesystem is read-only: check it there');
    case EIO:
      return named('target-io-error', 'check its disk');
    default:
      return named('target-error', 'the copy there stays Inconsistent until a resync completes');
  }
}
