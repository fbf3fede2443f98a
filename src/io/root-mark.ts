/**
 * The mark on DIR's root, xattr `trusted.twinfs`: mirror, node and generation of the copy that is
 * there, so that a start on another directory than the recorded one is noticed (core/root-mark.ts
 * compares). Also the one order in which record and mark go to a new generation.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { errorText, TwinfsError } from '../errors.js';
import { NO_ID, type Id } from '../core/types.js';
import { native } from './native.js';
import type { NodeRecord, RootMark } from './record-types.js';
import type { RecordStore } from './record-store.js';

export const MARK_XATTR = 'trusted.twinfs';
const FORMAT = 'twinfs1';

/** Where a mark is kept; tests bring their own. */
export interface MarkPlace {
  get(): Promise<Buffer | null>;
  /** Durable when it resolves. */
  set(value: Buffer): Promise<void>;
}

/** The mark of the directory behind `rootFd` (O_PATH will do), below any mount. */
export function rootMarkPlace(rootFd: number): MarkPlace {
  return {
    get: async () => native().getXattr(rootFd, MARK_XATTR),
    async set(value) {
      native().setXattr(rootFd, MARK_XATTR, value);
      // Through /proc, because an O_PATH descriptor cannot be synced itself (openat(2)).
      const directory = await open(`/proc/self/fd/${rootFd}`, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    },
  };
}

export class RootMarks {
  readonly #place: MarkPlace;
  readonly #directory: string;

  /** `directory` is for messages. */
  constructor(place: MarkPlace, directory: string) {
    this.#place = place;
    this.#directory = directory;
  }

  /** null: none. TwinfsError `mark-torn`, `mark-unreadable`. */
  async read(): Promise<RootMark | null> {
    let value: Buffer | null;
    try {
      value = await this.#place.get();
    } catch (cause) {
      throw this.#failed('mark-unreadable', 'read', cause);
    }
    return value === null ? null : decodeMark(value, this.#directory);
  }

  /** Durable when it resolves. TwinfsError `mark-unwritable`. */
  async write(mark: RootMark): Promise<void> {
    try {
      await this.#place.set(encodeMark(mark));
    } catch (cause) {
      throw this.#failed('mark-unwritable', 'write', cause);
    }
  }

  #failed(code: string, verb: string, cause: unknown): TwinfsError {
    const text = `cannot ${verb} the mark (xattr ${MARK_XATTR}) of ${this.#directory}: ${errorText(cause)}; the directory must be on a writable filesystem with extended attributes, and twinfs must run as root`;
    return new TwinfsError(code, 'badDirectory', text, cause);
  }
}

/**
 * Stores `next`, and marks the directory when its ids changed: announce the new generation in the
 * mark, store the record, settle the mark. Whatever a crash leaves behind, checkMark accepts, and
 * nothing else. `before` is the record in force, null for the first one. Durable when it resolves.
 */
export async function storeRecord(
  store: RecordStore,
  marks: RootMarks,
  before: NodeRecord | null,
  next: NodeRecord,
): Promise<void> {
  const isSame =
    before !== null &&
    before.mirror === next.mirror &&
    before.current === next.current &&
    before.node === next.node;
  if (isSame || next.mirror === NO_ID) return store.save(next);
  const { mirror, node } = next;
  const from: Id = before !== null && before.mirror === mirror ? before.current : NO_ID;
  await marks.write({ mirror, node, current: from, next: next.current });
  await store.save(next);
  await marks.write({ mirror, node, current: next.current, next: NO_ID });
}

/** Text, so that getfattr(1) shows it: format, mirror, node, current, next, checksum. */
export function encodeMark(mark: RootMark): Buffer {
  const body = [FORMAT, mark.mirror, mark.node, mark.current, mark.next].join(' ');
  return Buffer.from(`${body} ${checksumOf(body)}`);
}

/** Throws TwinfsError `mark-torn`; `directory` is for its message. */
export function decodeMark(value: Buffer, directory: string): RootMark {
  const text = value.toString('latin1');
  const found = /^(twinfs1(?: [0-9a-f]{16}){4}) ([0-9a-f]{16})$/.exec(text);
  const body = found?.[1] ?? '';
  if (found?.[2] !== checksumOf(body)) {
    const advice = `remove it with "setfattr -x ${MARK_XATTR}" when you know the directory is the right one, and start with --force`;
    const problem = `the mark (xattr ${MARK_XATTR}) of ${directory} is damaged or of another version; ${advice}`;
    throw new TwinfsError('mark-torn', 'badState', problem);
  }
  const [, mirror = NO_ID, node = NO_ID, current = NO_ID, next = NO_ID] = body.split(' ');
  return { mirror, node, current, next };
}

const checksumOf = (body: string): string =>
  createHash('sha256').update(body).digest('hex').slice(0, 16);
