/**
 * The main engine: the C++ session behind the `Engine` interface. It decodes what the session hands
 * over and passes everything else on; one instance is one mount.
 */
import { constants } from 'node:fs';
import { assert } from '../assert.js';
import { errorText, TwinfsError } from '../errors.js';
import { native, type NativeSession } from '../io/native.js';
import { TIMES_DELAY_MS } from '../limits.js';
import type { NodeRef } from '../op/op.js';
import type {
  AnswerRule,
  Engine,
  EngineCounters,
  EngineEvents,
  Mark,
  MountOptions,
  StreamState,
} from './engine.js';
import { decodeRecords } from './records.js';

const STREAM_NUMBER: Record<StreamState, number> = { off: 0, track: 1, on: 2 };
const MARK = { data: 1, attributes: 2, entries: 4 } as const;

export class NativeEngine implements Engine {
  readonly name = 'native';
  #session: NativeSession | null = null;
  #sourceFd = -1;

  async mount(options: MountOptions, events: EngineEvents): Promise<void> {
    assert(this.#session === null, 'an engine mounts once');
    const session = new (native().Session)(
      { ...options, timesDelayMs: TIMES_DELAY_MS },
      () => handOver(session, events),
      (what, errno) => notify(events, what, errno),
    );
    this.#session = session;
    this.#sourceFd = options.sourceFd;
    try {
      await session.mount();
    } catch (error) {
      this.#session = null;
      throw mountFailed(error);
    }
  }

  unmount(lazy: boolean): Promise<void> {
    return this.#need().unmount(lazy);
  }

  setGate(open: boolean): void {
    this.#need().setGate(open);
  }

  setReadOnly(on: boolean): void {
    this.#need().setReadOnly(on);
  }

  quiesce(): Promise<void> {
    return this.#need().quiesce();
  }

  setStream(state: StreamState): void {
    this.#need().setStream(STREAM_NUMBER[state]);
  }

  setAnswer(rule: AnswerRule): void {
    this.#need().setAnswer(rule.by === 'stream', rule.syncData);
  }

  complete(tokens: readonly number[], errno: number): void {
    this.#need().complete(tokens, errno);
  }

  credit(bytes: number): void {
    this.#need().credit(bytes);
  }

  takeMarks(): Mark[] {
    const pairs = this.#need().takeMarks();
    const marks: Mark[] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      const bits = pairs[at + 1] ?? 0;
      marks.push({
        ref: pairs[at] ?? 0,
        data: (bits & MARK.data) !== 0,
        attributes: (bits & MARK.attributes) !== 0,
        entries: (bits & MARK.entries) !== 0,
      });
    }
    return marks;
  }

  addMark(mark: Mark): void {
    const bits =
      (mark.data ? MARK.data : 0) |
      (mark.attributes ? MARK.attributes : 0) |
      (mark.entries ? MARK.entries : 0);
    this.#need().addMark(mark.ref, bits);
  }

  pathOf(ref: NodeRef): Buffer | null {
    return this.#need().pathOf(ref);
  }

  flushTimes(): void {
    this.#need().flushTimes();
  }

  async syncLocal(): Promise<void> {
    assert(this.#sourceFd >= 0, 'the engine is mounted');
    const addon = native();
    // The caller's descriptor may be an O_PATH one, which syncfs refuses.
    const fd = addon.openBeneath(
      this.#sourceFd,
      Buffer.alloc(0),
      constants.O_RDONLY | constants.O_DIRECTORY,
      0,
    );
    try {
      await addon.syncfs(fd);
    } finally {
      addon.close(fd);
    }
  }

  setPeerSpace(
    space: { freeBytes: number; availableBytes: number; freeFiles: number } | null,
  ): void {
    if (space === null) this.#need().clearPeerSpace();
    else this.#need().setPeerSpace(space.freeBytes, space.availableBytes, space.freeFiles);
  }

  counters(): EngineCounters {
    return this.#need().counters();
  }

  #need(): NativeSession {
    assert(this.#session !== null, 'the engine is mounted');
    return this.#session;
  }
}

/** EOPNOTSUPP is the session's own word for a kernel that lacks what it needs. */
function mountFailed(error: unknown): TwinfsError {
  const isOld = (error as NodeJS.ErrnoException).code === 'EOPNOTSUPP';
  const next = isOld
    ? "this kernel's FUSE is too old for the native engine: boot a newer one, or use --engine fuse-native"
    : 'check that /dev/fuse is the FUSE device (modprobe fuse) and may be used here: a container needs "--device /dev/fuse" and CAP_SYS_ADMIN';
  const text = `the FUSE mount did not succeed (${errorText(error)}); ${next}`;
  return new TwinfsError('mount-failed', 'noFuse', text, error);
}

/**
 * One batch a wake-up: more that arrives meanwhile wakes again, after other events had their turn.
 */
function handOver(session: NativeSession, events: EngineEvents): void {
  const batch = session.drain();
  if (batch !== null) events.changes(decodeRecords(batch));
}

function notify(events: EngineEvents, what: 'gate' | 'sync-failed' | 'ended', errno: number): void {
  switch (what) {
    case 'gate':
      return events.waitingAtGate();
    case 'sync-failed':
      return events.localSyncFailed(errno);
    case 'ended':
      return events.ended(errno === 0 ? 'unmounted' : 'aborted');
  }
}
