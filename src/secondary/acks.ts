/**
 * Tells the primary how far this side is: at most once per turn of the event loop, at once when a
 * caller there may wait for it, a little later otherwise; and how much space is left.
 */
import { receivedToAcknowledge } from '../core/ack-policy.js';
import type { Mode, Seq, Watermarks } from '../core/types.js';
import type { SpaceInfo } from '../io/native.js';
import type { Timers } from '../io/ports.js';
import { ACK_DELAY_MS, SPACE_INTERVAL_MS } from '../limits.js';
import type { AckMessage } from '../wire/messages.js';

export interface AckPorts {
  readonly timers: Timers;
  /** Space of the filesystem now; may throw. */
  readonly space: () => SpaceInfo;
}

/** What an acknowledgement is made from. */
export interface Progress {
  readonly marks: Watermarks;
  readonly mode: Mode;
  /** The last applied op whose caller waits for `applied` in `sync`. */
  readonly lastName: Seq;
  /**
   * Receipts beyond this are not given: from there on another mode holds that is not stored yet.
   */
  readonly receiptMax: Seq;
  /** Space that everything received and not yet applied may take. */
  readonly queuedDiskBytes: number;
}

export class Acks {
  readonly #ports: AckPorts;
  readonly #send: (message: AckMessage) => void;
  readonly #becameDue: () => void;
  #sent: Watermarks;
  #space: SpaceInfo | null = null;
  #spaceIsNews = false;
  /** Space taken by what was applied since `#space` was measured, at most. */
  #takenBytes = 0;
  #cancelDelay: (() => void) | null = null;
  #cancelSpace: () => void = () => undefined;
  #isDelayOver = false;

  /** `becameDue` asks for a call of `acknowledge`, which is not the answer to it. */
  constructor(
    ports: AckPorts,
    start: Seq,
    send: (message: AckMessage) => void,
    becameDue: () => void,
  ) {
    this.#ports = ports;
    this.#sent = { received: start, applied: start, durable: start };
    this.#send = send;
    this.#becameDue = becameDue;
    this.#measureRegularly();
  }

  /** `bytes` of what was queued are on the disk now. */
  applied(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** Sends what is new, or sees to it that it is sent soon. */
  acknowledge(progress: Progress): void {
    const { applied, durable } = progress.marks;
    const received = Math.max(this.#sent.received, applied, this.#receipt(progress));
    const marks = { received, applied, durable };
    if (this.#isUrgent(marks, progress)) this.#sendNow(marks, null);
    else if (applied > this.#sent.applied || received > this.#sent.received) this.#sendLater();
  }

  /** The last one: nothing after `failed.seq` was applied. */
  fail(marks: Watermarks, failed: NonNullable<AckMessage['failed']>): void {
    const received = Math.max(this.#sent.received, marks.applied);
    this.#sendNow({ ...marks, received }, failed);
    this.close();
  }

  close(): void {
    this.#cancelDelay?.();
    this.#cancelSpace();
  }

  /** Does anybody wait for what is new? See the table in core/ack-policy.ts. */
  #isUrgent(marks: Watermarks, { mode, lastName }: Progress): boolean {
    if (this.#spaceIsNews || this.#isDelayOver || marks.durable > this.#sent.durable) return true;
    if (mode === 'sync') return lastName > this.#sent.applied;
    return mode === 'semi-sync' && marks.received > this.#sent.received;
  }

  /** The highest seq whose receipt may be promised. */
  #receipt({ marks, receiptMax, queuedDiskBytes }: Progress): Seq {
    const received = Math.min(marks.received, receiptMax);
    const promise = (): Seq => {
      const available = this.#space === null ? null : this.#space.availableBytes - this.#takenBytes;
      return receivedToAcknowledge(received, marks.applied, queuedDiskBytes, available);
    };
    const first = promise();
    if (first === received || this.#takenBytes === 0) return first;
    // What was applied may have overwritten: measured again, there may be more space than reckoned.
    this.#measure();
    return promise();
  }

  #sendNow(marks: Watermarks, failed: AckMessage['failed']): void {
    this.#cancelDelay?.();
    this.#cancelDelay = null;
    this.#isDelayOver = false;
    const space = this.#spaceIsNews ? spaceOf(this.#space) : null;
    this.#spaceIsNews = false;
    this.#sent = marks;
    this.#send({ type: 'ack', ...marks, failed, space });
  }

  #sendLater(): void {
    this.#cancelDelay ??= this.#ports.timers.setTimer(ACK_DELAY_MS, () => {
      this.#cancelDelay = null;
      this.#isDelayOver = true;
      this.#becameDue();
    });
  }

  #measureRegularly(): void {
    this.#measure();
    this.#spaceIsNews = this.#space !== null;
    this.#cancelSpace = this.#ports.timers.setTimer(SPACE_INTERVAL_MS, () => {
      this.#measureRegularly();
      this.#becameDue();
    });
  }

  #measure(): void {
    this.#takenBytes = 0;
    try {
      this.#space = this.#ports.space();
    } catch {
      // Unknown space promises nothing: receipts wait for `applied`.
      this.#space = null;
    }
  }
}

function spaceOf(space: SpaceInfo | null): AckMessage['space'] {
  if (space === null) return null;
  const { freeBytes, availableBytes, freeFiles } = space;
  return { freeBytes, availableBytes, freeFiles };
}
