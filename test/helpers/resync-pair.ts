/**
 * A source and a target of a resync in this process, joined by a link in memory that delivers
 * like a socket: later, in order, through the real codec, and with a full send buffer now and
 * then.
 */
import * as fs from 'node:fs';
import type { TwinfsError } from '../../src/errors.js';
import { systemClock, systemTimers } from '../../src/io/system-clock.js';
import { systemTree, type SyncTree } from '../../src/io/tree.js';
import type { MarkFeed, SourceCallbacks, SyncResult } from '../../src/resync/seam.js';
import { ResyncSource } from '../../src/resync/source.js';
import { ResyncTarget } from '../../src/resync/target.js';
import { decode, encode } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { initHash } from '../../src/wire/hash.js';
import type { Message, ResyncToSource, ResyncToTarget, SyncEnd } from '../../src/wire/messages.js';

export const NO_MARKS: MarkFeed = {
  takeMarks: () => [],
  addMark: () => undefined,
  pathOf: () => null,
};

export const NO_CALLBACKS: SourceCallbacks = {
  freeze: () => Promise.resolve(),
  thaw: () => undefined,
  switchOn: () => END,
  throttle: () => undefined,
};

export const END: Omit<SyncEnd, 'type'> = {
  current: '00000000000000aa',
  base: '00000000000000bb',
  history: [],
  mode: 'sync',
};

/** One direction: delivers on a later turn of the event loop. */
class Pipe {
  readonly #deliver: (message: Message) => void;
  readonly #drained: () => void;
  readonly #pendingMax: number;
  #queue: Message[] = [];
  #full = false;
  readonly #decoder = new FrameDecoder({ checksum: false });
  closed = false;
  messages = 0;
  dataBytes = 0;

  constructor(deliver: (message: Message) => void, drained: () => void, pendingMax: number) {
    this.#deliver = deliver;
    this.#drained = drained;
    this.#pendingMax = pendingMax;
  }

  readonly send = (message: Message): boolean => {
    if (this.closed) return false;
    this.messages += 1;
    if (message.type === 'fileData') this.dataBytes += message.data.length;
    this.#queue.push(this.#throughCodec(message));
    if (this.#queue.length === 1) setImmediate(() => this.#flush());
    this.#full ||= this.#queue.length >= this.#pendingMax;
    return !this.#full;
  };

  /** What a peer would get: the same message, from its bytes. */
  #throughCodec(message: Message): Message {
    let received: Message | null = null;
    for (const part of encode(message, { checksum: false })) {
      this.#decoder.push(part, (frame) => (received = decode(frame)));
    }
    if (received === null) throw new Error('one message, one frame');
    return received;
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const message of queue) if (!this.closed) this.#deliver(message);
    if (!this.#full || this.closed) return;
    this.#full = false;
    this.#drained();
  }
}

export interface PairOptions {
  readonly source: string;
  readonly target: string;
  readonly marks?: MarkFeed;
  readonly callbacks?: Partial<SourceCallbacks>;
  /** Wraps the trees, to make a disk fail. */
  readonly wrapSource?: (tree: SyncTree) => SyncTree;
  readonly wrapTarget?: (tree: SyncTree) => SyncTree;
  readonly pendingMax?: number;
  /** Sees (and may swallow, by false) what goes to the target and to the source. */
  readonly toTarget?: (message: Message) => boolean;
  readonly toSource?: (message: Message) => boolean;
}

export interface Pair {
  readonly source: ResyncSource;
  readonly target: ResyncTarget;
  /** Runs the resync to its end and closes everything. */
  run(): Promise<PairResult>;
  /** As if the connection broke. */
  cut(error: Error): void;
}

export interface PairResult extends SyncResult {
  readonly messagesToTarget: number;
  readonly dataBytes: number;
  readonly ended: SyncEnd | null;
}

const same = <T>(value: T): T => value;
const all = (): boolean => true;

export async function makePair(options: PairOptions): Promise<Pair> {
  await initHash();
  const fds = [options.source, options.target].map((path) =>
    fs.openSync(path, fs.constants.O_RDONLY),
  );
  const [sourceFd, targetFd] = fds as [number, number];
  const { toTarget = all, toSource = all, pendingMax = 64 } = options;
  let ended: SyncEnd | null = null;
  const down = new Pipe(
    (message) => {
      if (toTarget(message)) target.handle(message as ResyncToTarget);
    },
    () => source.drained(),
    pendingMax,
  );
  const up = new Pipe(
    (message) => {
      if (toSource(message)) source.handle(message as ResyncToSource);
    },
    () => undefined,
    pendingMax,
  );
  const clocks = { clock: systemClock, timers: systemTimers };
  const source = new ResyncSource({
    ...clocks,
    tree: (options.wrapSource ?? same)(systemTree(sourceFd)),
    link: down,
    marks: options.marks ?? NO_MARKS,
    callbacks: { ...NO_CALLBACKS, ...options.callbacks },
  });
  const cut = (error: Error): void => {
    down.closed = true;
    up.closed = true;
    source.abort(error);
  };
  const target = new ResyncTarget({
    ...clocks,
    tree: (options.wrapTarget ?? same)(systemTree(targetFd)),
    link: up,
    hooks: {
      end: (message) => {
        ended = message;
        return Promise.resolve();
      },
      failed: (error: TwinfsError) => cut(error),
    },
  });
  const run = async (): Promise<PairResult> => {
    try {
      const result = await source.run();
      const { messages, dataBytes } = down;
      return { ...result, messagesToTarget: messages, dataBytes, ended };
    } finally {
      down.closed = true;
      up.closed = true;
      await target.abort();
      for (const fd of fds) fs.closeSync(fd);
    }
  };
  return { source, target, run, cut };
}

export const resync = async (options: PairOptions): Promise<PairResult> =>
  (await makePair(options)).run();
