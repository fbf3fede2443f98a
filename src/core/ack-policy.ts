/**
 * "May I answer yet?": what each mode waits for, as one table. Together with ack-tracker.ts this is
 * all the logic there is about answering; everybody else carries out what these two say. Pure.
 */
import { assertNever } from '../assert.js';
import { RECEIPT_FREE_MARGIN_BYTES } from '../limits.js';
import type { Mode, OpClass, ReplicationState, Seq, Watermarks } from './types.js';

/**
 * The peer's watermark that must reach an op before its caller is answered; `none`: nobody waits.
 */
export type Need = 'none' | 'received' | 'applied' | 'durable';

type Table = Readonly<Record<Mode, Readonly<Record<OpClass, Need>>>>;

/**
 * `sync` (a class): everything before the fsync on that file has reached the mode's point; since
 * the watermarks cover all earlier ops, the fsync's own seq says it.
 */
const NEEDS: Table = {
  sync: { data: 'durable', sync: 'durable', name: 'applied', quiet: 'none', barrier: 'durable' },
  'semi-sync': {
    data: 'received',
    sync: 'received',
    name: 'received',
    quiet: 'none',
    barrier: 'durable',
  },
  async: { data: 'none', sync: 'none', name: 'none', quiet: 'none', barrier: 'durable' },
};

/**
 * What the caller of an op of this class waits for; `syncMetadata` is the mount option of that
 * name.
 */
export function waitsFor(mode: Mode, opClass: OpClass, syncMetadata: boolean): Need {
  if (syncMetadata && mode === 'sync' && opClass === 'name') return 'durable';
  return NEEDS[mode][opClass];
}

/** True when an op with this need may be answered at these watermarks. */
export function isReached(need: Need, seq: Seq, marks: Watermarks): boolean {
  switch (need) {
    case 'none':
      return true;
    case 'received':
      return seq <= marks.received;
    case 'applied':
      return seq <= marks.applied;
    case 'durable':
      return seq <= marks.durable;
    default:
      return assertNever(need);
  }
}

/** Shape of the engine's AnswerRule (engine/engine.ts). */
export interface LocalAnswer {
  readonly by: 'local' | 'stream';
  readonly syncData: boolean;
}

/**
 * Who answers callers. By the stream only while changes are mirrored as they come (Established) and
 * the mode waits for the peer; alone and during a resync the engine answers. In `sync` data is on
 * the local disk before any answer, with and without a peer: a power cut then takes nothing that
 * was answered.
 */
export function answerRule(mode: Mode, replication: ReplicationState): LocalAnswer {
  const waits = mode !== 'async' && replication === 'Established';
  return { by: waits ? 'stream' : 'local', syncData: mode === 'sync' };
}

/**
 * Secondary: the `received` it may acknowledge. A receipt is a promise that the op will fit on the
 * disk, so it is given only while the free space exceeds what is queued plus a margin; otherwise
 * the answer waits for `applied`. `queuedBytes`: received and not yet applied. `availableBytes`
 * null (unknown): no promise.
 */
export function receivedToAcknowledge(
  received: Seq,
  applied: Seq,
  queuedBytes: number,
  availableBytes: number | null,
): Seq {
  const fits = availableBytes !== null && availableBytes > queuedBytes + RECEIPT_FREE_MARGIN_BYTES;
  return fits ? received : applied;
}
