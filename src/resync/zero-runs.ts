/**
 * Splits data into runs of zero blocks and of others, so that zeros need not travel and holes stay
 * holes.
 */
import { SYNC_BLOCK_BYTES_MAX } from '../limits.js';

export interface ZeroRun {
  readonly offset: number;
  readonly length: number;
  readonly zero: boolean;
}

const ZEROS = Buffer.alloc(SYNC_BLOCK_BYTES_MAX);

/** memcmp stops at the first other byte, so data costs next to nothing. */
const isZero = (block: Buffer): boolean => block.equals(ZEROS.subarray(0, block.length));

/** Neighbouring blocks of a kind are one run. `blockSize` is at most SYNC_BLOCK_BYTES_MAX. */
export function zeroRuns(data: Buffer, blockSize: number): ZeroRun[] {
  const runs: ZeroRun[] = [];
  for (let offset = 0; offset < data.length; offset += blockSize) {
    const block = data.subarray(offset, offset + blockSize);
    const zero = isZero(block);
    const last = runs.at(-1);
    if (last !== undefined && last.zero === zero) {
      runs[runs.length - 1] = { offset: last.offset, length: last.length + block.length, zero };
    } else runs.push({ offset, length: block.length, zero });
  }
  return runs;
}
