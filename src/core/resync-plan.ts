/**
 * The decisions of a resync, pure: block sizes, when the writers may be held for the last pass, how
 * much they are slowed before, and what the progress display may claim. The walking and sending is
 * in resync/.
 */
import {
  MARKS_MAX,
  SYNC_BLOCKS_WANTED,
  SYNC_BLOCK_BYTES_MAX,
  SYNC_BLOCK_BYTES_MIN,
  SYNC_FREEZE_BYTES_MAX,
  SYNC_FREEZE_MARKS_MAX,
  SYNC_FREEZE_READ_BYTES_MAX,
  SYNC_PASSES_FREE_MAX,
  SYNC_PASSES_MAX,
} from '../limits.js';
import type { Instant } from './types.js';

/**
 * Bytes of one hashed block for a file of `sizeBytes`: a power of two, so that a file has about
 * SYNC_BLOCKS_WANTED blocks. Smaller ones find changes more exactly, larger ones cost fewer hashes.
 */
export function blockSizeFor(sizeBytes: number): number {
  let block = SYNC_BLOCK_BYTES_MIN;
  while (block < SYNC_BLOCK_BYTES_MAX && block * SYNC_BLOCKS_WANTED < sizeBytes) block *= 2;
  return block;
}

/** What the next pass would have to do. */
export interface Left {
  readonly marks: number;
  /**
   * Bytes expected to differ: of a large file compared before, what differed then; else its size.
   */
  readonly changedBytes: number;
  /** Bytes to read and hash: the whole size of every file whose data is marked. */
  readonly readBytes: number;
  /** Directories to be compared with everything below them: work of unknown size. */
  readonly subtrees: number;
}

export type NextStep = 'pass' | 'freeze' | 'restart';

/** What to do when `passesDone` passes are complete and `left` remains. */
export function nextStep(passesDone: number, left: Left): NextStep {
  if (left.marks > MARKS_MAX) return 'restart';
  if (passesDone >= SYNC_PASSES_MAX) return 'freeze';
  if (left.marks > SYNC_FREEZE_MARKS_MAX) return 'pass';
  if (left.changedBytes > SYNC_FREEZE_BYTES_MAX) return 'pass';
  // Work that never gets less (a large file written all the time, directories made all the time) is
  // done with the writers held in the end.
  const unbounded = left.subtrees > 0 || left.readBytes > SYNC_FREEZE_READ_BYTES_MAX;
  return unbounded && passesDone < SYNC_PASSES_FREE_MAX ? 'pass' : 'freeze';
}

/** Whether what came to light once the writers stood still is still work for a last pass. */
export function freezeHolds(passesDone: number, left: Left): boolean {
  if (passesDone >= SYNC_PASSES_MAX) return true;
  return left.marks <= 4 * SYNC_FREEZE_MARKS_MAX && left.changedBytes <= 4 * SYNC_FREEZE_BYTES_MAX;
}

/** How hard writers are slowed in the next pass: 0 not at all, each level harder. */
export const throttleLevel = (passesDone: number): number =>
  Math.max(0, passesDone - SYNC_PASSES_FREE_MAX + 1);

/** Number of slashes, the root apart: parents sort before their children. */
export function depthOf(path: Buffer): number {
  if (path.length === 0) return 0;
  let depth = 1;
  for (const byte of path) if (byte === 0x2f) depth += 1;
  return depth;
}

export const joinPath = (directory: Buffer, name: Buffer): Buffer =>
  directory.length === 0 ? name : Buffer.concat([directory, SLASH, name]);
const SLASH = Buffer.from('/');

/** Mean rates over the last `windowMs`, from samples of two running totals. */
export class RateWindow {
  readonly #windowMs: number;
  readonly #samples: { at: Instant; bytes: number; files: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Adds the totals as of `now` and returns bytes and files per second. */
  sample(now: Instant, bytes: number, files: number): { bytes: number; files: number } {
    this.#samples.push({ at: now, bytes, files });
    // One sample as old as the window stays, so that a rate covers all of it.
    const recent = this.#samples.findLastIndex(({ at }) => at <= now - this.#windowMs);
    if (recent > 0) this.#samples.splice(0, recent);
    const [first] = this.#samples;
    const seconds = first === undefined ? 0 : (now - first.at) / 1000;
    if (first === undefined || seconds <= 0) return { bytes: 0, files: 0 };
    return { bytes: (bytes - first.bytes) / seconds, files: (files - first.files) / seconds };
  }
}

/**
 * Seconds until both files and bytes are through, or null when nothing honest can be said: the
 * slower of the two counts, as a tree of small files is not bound by bytes.
 */
export function secondsLeft(
  left: { readonly bytes: number; readonly files: number },
  rate: { readonly bytes: number; readonly files: number },
): number | null {
  const parts: number[] = [];
  if (left.bytes > 0) {
    if (rate.bytes <= 0) return null;
    parts.push(left.bytes / rate.bytes);
  }
  if (left.files > 0 && rate.files > 0) parts.push(left.files / rate.files);
  if (left.files > 0 && left.bytes <= 0 && rate.files <= 0) return null;
  return Math.ceil(Math.max(0, ...parts));
}
