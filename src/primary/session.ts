/**
 * One connection to a secondary, seen by the primary, after the handshake: the resync that makes
 * the peer's copy equal, then the stream that keeps it so. It ends by `lose`, however the
 * connection ended.
 */
import { assert } from '../assert.js';
import type { SyncStatus } from '../control/messages.js';
import { shareGeneration, syncedRecord } from '../core/record.js';
import type { Instant } from '../core/types.js';
import type { Engine } from '../engine/engine.js';
import { errorText, TwinfsError } from '../errors.js';
import type { Link } from '../io/link.js';
import { systemTree } from '../io/tree.js';
import { THROTTLE_HELD_MS, THROTTLE_PERIOD_MS } from '../limits.js';
import type { NodeContext } from '../node/context.js';
import { ResyncSource } from '../resync/source.js';
import type { AckMessage, Hello, Message, SyncEnd } from '../wire/messages.js';
import type { Gate } from './gate.js';
import type { Standing } from './standing.js';
import { WritePath, type WriteRule } from './write-path.js';

/** Ends the connection for this reason; `lose` follows. */
export type Break = (code: string, text: string) => void;

export class Session {
  readonly hello: Hello;
  readonly link: Link;
  readonly #context: NodeContext;
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #standing: Standing;
  readonly #break: Break;
  readonly #source: ResyncSource;
  #writePath: WritePath | null = null;
  #synced = false;
  #lost = false;
  #sync: SyncStatus | null = null;
  /** Since when writers are held and the target has said nothing; null while they are not. */
  #heldSince: Instant | null = null;
  #stopThrottle: () => void = () => undefined;
  #pendingBytes = 0;

  constructor(
    context: NodeContext,
    engine: Engine,
    gate: Gate,
    standing: Standing,
    peer: { readonly link: Link; readonly hello: Hello; readonly break: Break },
  ) {
    this.#context = context;
    this.#engine = engine;
    this.#gate = gate;
    this.#standing = standing;
    this.#break = peer.break;
    this.link = peer.link;
    this.hello = peer.hello;
    this.#source = new ResyncSource({
      tree: systemTree(context.rootFd),
      link: peer.link,
      marks: engine,
      clock: context.clock,
      timers: context.timers,
      callbacks: {
        freeze: () => this.#freeze(),
        thaw: () => this.#thaw(),
        switchOn: () => this.#switchOn(),
        throttle: (level) => this.#throttle(level),
        progress: (status) => (this.#sync = status),
      },
    });
  }

  /** null until the resync's last pass is done. */
  get writePath(): WritePath | null {
    return this.#writePath;
  }

  /** The peer has everything and has recorded it. */
  get isSynced(): boolean {
    return this.#synced;
  }

  get sync(): SyncStatus | null {
    return this.#sync;
  }

  get rule(): WriteRule {
    const { mode } = this.#context.record.current;
    return { mode, syncMetadata: this.#context.config.options.syncMetadata };
  }

  /** Makes the peer equal; the stream goes on afterwards until `lose`. */
  async run(): Promise<void> {
    this.#standing.setStreamWhileAlone('track');
    try {
      const result = await this.#source.run();
      if (this.#lost) return;
      await this.#context.record.update(syncedRecord);
      this.#synced = true;
      this.#sync = null;
      this.#context.log.info({ ...result }, 'resync complete: both copies are UpToDate');
    } catch (error) {
      if (this.#lost) return;
      const code = error instanceof TwinfsError ? error.code : 'resync-failed';
      this.#context.log.error({ err: error }, `the resync failed: ${errorText(error)}`);
      this.#break(code, errorText(error));
    } finally {
      this.#stopThrottle();
    }
  }

  message(message: Message): void {
    switch (message.type) {
      case 'ack':
        return this.#acknowledged(message);
      case 'dirResult':
      case 'fileHashes':
      case 'fileDone':
      case 'syncStored':
      case 'syncCredit':
        if (this.#heldSince !== null) this.#heldSince = this.#context.clock.monotonicMs();
        this.#source.handle(message);
        return;
      default:
        this.#break('unexpected-message', `a secondary does not send "${message.type}"`);
    }
  }

  /** The link took bytes it had refused before. */
  drained(): void {
    this.#source.drained();
  }

  /** Since when nothing has moved, for the rule of the lost peer; null: nobody waits. */
  stalledSince(): Instant | null {
    const tracker = this.#writePath?.tracker;
    if (tracker === undefined) return this.#heldSince;
    if (this.link.pendingBytes < this.#pendingBytes) {
      tracker.transported(this.#context.clock.monotonicMs());
    }
    this.#pendingBytes = this.link.pendingBytes;
    return tracker.stalledSince();
  }

  /** The connection is gone: callers that waited for the peer go to `standing`. */
  lose(reason: string): void {
    assert(!this.#lost, 'a session is lost once');
    this.#lost = true;
    this.#stopThrottle();
    this.#source.abort(new Error(reason));
    const path = this.#writePath;
    this.#writePath = null;
    this.#engine.setPeerSpace(null);
    this.#standing.setStreamWhileAlone('off');
    if (path === null) return;
    const left = path.lose();
    this.#engine.credit(left.bytes);
    this.#standing.lost(left.tokens, left.ops > 0);
  }

  #acknowledged(ack: AckMessage): void {
    const violation = this.#writePath?.acknowledged(ack) ?? null;
    if (ack.space !== null) this.#engine.setPeerSpace(ack.space);
    if (violation !== null) this.#break('bad-ack', violation);
    else if (ack.failed !== null) {
      const { seq, text } = ack.failed;
      this.#break('peer-cannot-apply', `the peer could not apply change ${seq}: ${text}`);
    }
  }

  async #freeze(): Promise<void> {
    this.#gate.hold('resync');
    this.#heldSince = this.#context.clock.monotonicMs();
    await this.#engine.quiesce();
  }

  #thaw(): void {
    this.#heldSince = null;
    this.#standing.resumed();
    this.#gate.release('resync');
    this.#standing.resumed();
  }

  /**
   * Both copies are equal and the gate is shut: from the next change on the peer gets everything.
   */
  async #switchOn(): Promise<Omit<SyncEnd, 'type'>> {
    const record = await this.#context.record.update(shareGeneration);
    if (this.#lost) throw new TwinfsError('link-lost', 'failed', 'the link was lost');
    this.#writePath = new WritePath(this.#engine, this.link, this.rule, this.#context.clock);
    this.#standing.established();
    this.#heldSince = null;
    this.#gate.release('resync');
    const { current, base, history, mode } = record;
    return { current, base, history, mode };
  }

  /** Holds the writers for a part of every period. */
  #throttle(level: number): void {
    this.#stopThrottle();
    const heldMs = THROTTLE_HELD_MS[Math.min(level, THROTTLE_HELD_MS.length - 1)] ?? 0;
    if (heldMs === 0 || this.#lost) return;
    const { timers } = this.#context;
    let cancel = (): void => undefined;
    let isHeld = false;
    const turn = (): void => {
      isHeld = !isHeld;
      if (isHeld) this.#gate.hold('throttle');
      else this.#gate.release('throttle');
      cancel = timers.setTimer(isHeld ? heldMs : THROTTLE_PERIOD_MS - heldMs, turn);
    };
    turn();
    this.#stopThrottle = () => {
      cancel();
      if (isHeld) this.#gate.release('throttle');
      this.#stopThrottle = () => undefined;
    };
  }
}
