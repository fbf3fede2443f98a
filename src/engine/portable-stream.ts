/**
 * What the portable engine does with a change between the kernel's request and its answer: it waits
 * at the gate (and for hand-over budget), is applied, becomes a mark or an op with a token, and is
 * answered by the rule in force. All of it happens on the event loop, where requests arrive one by
 * one: that is the order.
 */
import { constants as osConstants } from 'node:os';
import { assert } from '../assert.js';
import { TIMES_DELAY_MS } from '../limits.js';
import { opClass, type NodeRef, type Op } from '../op/op.js';
import type { AnswerRule, Change, EngineEvents, Mark, StreamState } from './engine.js';
import type { PortableCommit } from './portable-commit.js';
import { errnoOf, type FuseReply } from './portable-library.js';
import type { PortableNode, PortableNodes } from './portable-nodes.js';

/** A change that waits to be applied; `apply` answers its caller itself, `refuse` with an errno. */
interface Waiting {
  apply(): void;
  refuse(errno: number): void;
}

/** An answer that waits for the peer, the local disk or both. */
interface Pending {
  waits: number;
  errno: number;
  readonly answer: (errno: number) => void;
}

/** Budget an op holds besides its payload. */
const OP_BYTES = 128;

export class PortableStream {
  readonly #nodes: PortableNodes;
  readonly #commit: PortableCommit;
  readonly #events: EngineEvents;
  readonly #handoffBytesMax: number;
  #state: StreamState = 'off';
  #rule: AnswerRule = { by: 'local', syncData: false };
  #epoch = 0;
  #open = false;
  #readOnly = false;
  #waiting: Waiting[] = [];
  #toldWaiting = false;
  /** Changes applied off the event loop (fsync) and not handed over yet. */
  #inFlight = 0;
  #quiet: (() => void)[] = [];
  #lastToken = 0;
  readonly #pending = new Map<number, Pending>();
  #marks = new Map<NodeRef, Mark>();
  readonly #untimed = new Set<PortableNode>();
  #timer: NodeJS.Timeout | null = null;
  #handoffBytes = 0;
  #changes = 0;

  constructor(
    nodes: PortableNodes,
    commit: PortableCommit,
    events: EngineEvents,
    handoffBytesMax: number,
  ) {
    this.#nodes = nodes;
    this.#commit = commit;
    this.#events = events;
    this.#handoffBytesMax = handoffBytesMax;
  }

  /** Whether changes are told at all, that is, whether nodes are needed. */
  get isTold(): boolean {
    return this.#state !== 'off';
  }

  get counters(): { changes: number; handoffBytes: number; pendingAnswers: number } {
    return {
      changes: this.#changes,
      handoffBytes: this.#handoffBytes,
      pendingAnswers: this.#pending.size,
    };
  }

  setGate(open: boolean): void {
    this.#open = open;
    if (open) this.#toldWaiting = false;
    this.#admitWaiting();
  }

  setReadOnly(on: boolean): void {
    this.#readOnly = on;
    if (!on) return;
    const refused = this.#waiting;
    this.#waiting = [];
    for (const change of refused) change.refuse(osConstants.errno.EROFS);
  }

  setState(state: StreamState): void {
    if (state === 'on' && this.#state !== 'on') this.#epoch += 1;
    if (state === 'off') this.#marks.clear();
    this.#untimed.clear();
    this.#state = state;
  }

  setRule(rule: AnswerRule): void {
    this.#rule = rule;
  }

  quiesce(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#quiet.push(resolve));
  }

  /**
   * Runs `apply` when the gate is open and there is budget; what it throws is the caller's errno.
   */
  admit(reply: FuseReply<number>, apply: () => void): void {
    if (this.#readOnly) {
      reply(-osConstants.errno.EROFS);
      return;
    }
    const change: Waiting = {
      refuse: (errno) => reply(-errno),
      apply: () => {
        try {
          apply();
        } catch (error) {
          reply(-errnoOf(error));
        }
      },
    };
    if (this.#waiting.length === 0 && this.#isFree()) {
      change.apply();
      return;
    }
    this.#waiting.push(change);
    this.#sayWaiting();
  }

  /** A change that is applied off the event loop: `done` must follow. */
  begin(): void {
    this.#inFlight += 1;
  }

  done(): void {
    this.#inFlight -= 1;
    assert(this.#inFlight >= 0, 'every begun change ends once');
    if (this.#inFlight > 0) return;
    const quiet = this.#quiet;
    this.#quiet = [];
    for (const resolve of quiet) resolve();
  }

  /**
   * Hands an applied change over (`op`, which uses the refs of `uses`; null where nobody is told)
   * and has its caller answered. `fd`: data was written through it. `release` runs when `fd` is not
   * needed any more.
   */
  finish(
    op: Op | null,
    uses: readonly PortableNode[],
    answer: () => void,
    refuse: (errno: number) => void,
    fd: number | null,
    release: () => void = () => undefined,
  ): void {
    this.#changes += 1;
    const pending: Pending = {
      waits: 1,
      errno: 0,
      answer: (errno) => (errno === 0 ? answer() : refuse(errno)),
    };
    let token = 0;
    const waited = op !== null && opClass(op.kind) !== 'quiet';
    if (this.#state === 'on' && waited && this.#rule.by === 'stream') {
      this.#lastToken += 1;
      token = this.#lastToken;
      pending.waits += 1;
      this.#pending.set(token, pending);
    }
    if (fd !== null && this.#rule.syncData) this.#waitForDisk(fd, pending, release);
    else release();
    if (op !== null) this.#tell(op, uses, token);
    this.#settle(pending, 0);
  }

  /** The mtime of these changes: told soon, once for many changes. */
  touch(...nodes: PortableNode[]): void {
    if (this.#state !== 'on') return;
    for (const node of nodes) this.#untimed.add(node);
    this.#timer ??= setTimeout(() => this.flushTimes(), TIMES_DELAY_MS).unref();
  }

  flushTimes(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const nodes = [...this.#untimed];
    this.#untimed.clear();
    for (const node of nodes) {
      const path = this.#nodes.pathOf(node);
      if (path === null || this.#state !== 'on') continue;
      const op = this.#timesOp(node, path);
      if (op !== null) this.#tell(op, [node], 0);
    }
  }

  /** `node` lost its last name, or its number is needed no more. */
  drop(node: PortableNode): void {
    this.#nodes.drop(node);
    this.#marks.delete(node.ref);
    this.#untimed.delete(node);
    if (this.#state !== 'on' || node.epoch !== this.#epoch) return;
    this.#hand([{ op: { kind: 'forget', ref: node.ref }, bytes: OP_BYTES, token: 0 }]);
  }

  complete(tokens: readonly number[], errno: number): void {
    for (const token of tokens) {
      const pending = this.#pending.get(token);
      assert(pending !== undefined, 'a token is completed once');
      this.#pending.delete(token);
      this.#settle(pending, errno);
    }
  }

  credit(bytes: number): void {
    this.#handoffBytes = Math.max(0, this.#handoffBytes - bytes);
    this.#admitWaiting();
  }

  takeMarks(): Mark[] {
    const marks = [...this.#marks.values()];
    this.#marks = new Map();
    return marks;
  }

  addMark(mark: Mark): void {
    const old = this.#marks.get(mark.ref);
    this.#marks.set(mark.ref, {
      ref: mark.ref,
      data: mark.data || old?.data === true,
      attributes: mark.attributes || old?.attributes === true,
      entries: mark.entries || old?.entries === true,
    });
  }

  /**
   * An entry moved with all below it, or lost one of several names: at the place where it is now
   * everything may differ.
   */
  moved(node: PortableNode): void {
    if (this.#state !== 'track') return;
    this.addMark({ ref: node.ref, data: true, attributes: true, entries: true });
  }

  /** Drops numbers of idle inodes when there are too many. */
  trim(): void {
    const isNeeded = (node: PortableNode): boolean =>
      this.#marks.has(node.ref) || this.#untimed.has(node);
    for (const node of this.#nodes.surplus(isNeeded)) this.drop(node);
  }

  /** Answers everything that waits with an error: the session has ended. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const change of waiting) change.refuse(osConstants.errno.EIO);
  }

  #isFree(): boolean {
    return this.#open && this.#handoffBytes < this.#handoffBytesMax;
  }

  #admitWaiting(): void {
    while (this.#waiting.length > 0 && this.#isFree()) this.#waiting.shift()?.apply();
    if (this.#waiting.length > 0) this.#sayWaiting();
  }

  #sayWaiting(): void {
    if (this.#open || this.#toldWaiting) return;
    this.#toldWaiting = true;
    this.#events.waitingAtGate();
  }

  #waitForDisk(fd: number, pending: Pending, release: () => void): void {
    pending.waits += 1;
    this.#commit.wait(fd, (errno) => {
      release();
      if (errno !== 0) this.#events.localSyncFailed(errno);
      this.#settle(pending, errno === 0 ? 0 : osConstants.errno.EIO);
    });
  }

  #settle(pending: Pending, errno: number): void {
    if (errno !== 0) pending.errno = errno;
    pending.waits -= 1;
    if (pending.waits === 0) pending.answer(pending.errno);
  }

  #tell(op: Op, uses: readonly PortableNode[], token: number): void {
    if (this.#state === 'track') this.#mark(op);
    if (this.#state !== 'on') return;
    const batch: Change[] = [];
    for (const node of uses) this.#bind(node, batch);
    batch.push({ op, bytes: bytesOf(op), token });
    if (op.kind === 'create') {
      const born = this.#nodes.byRef(op.ref);
      if (born !== null) born.epoch = this.#epoch;
    }
    this.#hand(batch);
  }

  #hand(batch: Change[]): void {
    for (const change of batch) this.#handoffBytes += change.bytes;
    this.#events.changes(batch);
  }

  /** Binds a node and, before it, its ancestors, unless the epoch has them. */
  #bind(node: PortableNode, batch: Change[]): void {
    const alias = node.aliases[0];
    if (node.epoch === this.#epoch || alias === undefined) return;
    this.#bind(alias.parent, batch);
    const name = Buffer.from(alias.name);
    const op: Op = { kind: 'bind', ref: node.ref, parent: alias.parent.ref, name };
    batch.push({ op, bytes: bytesOf(op), token: 0 });
    node.epoch = this.#epoch;
  }

  #mark(op: Op): void {
    const mark = (ref: NodeRef, data: boolean, attributes: boolean, entries: boolean): void =>
      this.addMark({ ref, data, attributes, entries });
    switch (op.kind) {
      case 'write':
      case 'truncate':
        mark(op.ref, true, true, false);
        break;
      case 'create':
      case 'unlink':
        mark(op.parent, false, true, true);
        break;
      case 'link':
        mark(op.parent, false, true, true);
        mark(op.ref, true, true, false);
        // All its names are listed again, so that they become one inode over there.
        for (const alias of this.#nodes.byRef(op.ref)?.aliases ?? []) {
          mark(alias.parent.ref, false, true, true);
        }
        break;
      case 'rename':
        mark(op.parent, false, true, true);
        mark(op.newParent, false, true, true);
        break;
      case 'setattr':
      case 'times':
      case 'setxattr':
      case 'removexattr':
        mark(op.ref, false, true, false);
        break;
      default:
        break;
    }
  }

  #timesOp(node: PortableNode, path: string): Op | null {
    try {
      const mtime = this.#nodes.stat(path).mtimeNs;
      return { kind: 'times', ref: node.ref, mtime, atime: null };
    } catch {
      // Its name is gone since: nothing to tell.
      return null;
    }
  }
}

function bytesOf(op: Op): number {
  if (op.kind === 'write') return OP_BYTES + op.data.length;
  if (op.kind === 'setxattr') return OP_BYTES + op.value.length;
  return OP_BYTES;
}
