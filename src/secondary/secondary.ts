/**
 * A node as Secondary: it keeps DIR readable but write-protected (a read-only bind mount over it;
 * the daemon writes through the descriptor it opened before), listens for the primary, and serves
 * one connection at a time (session.ts).
 */
import type { Address } from '../config/config.js';
import type { RoleStatus } from '../control/role-status.js';
import { NO_LAG, NO_MARKS } from '../control/role-status.js';
import { Connection, type ConnectionEffect, type ConnectionEvent } from '../core/connection.js';
import { checkPromote, type PromoteCheck } from '../core/role.js';
import { errorText, TwinfsError } from '../errors.js';
import { randomFraction } from '../io/ids.js';
import type { Link, LinkEvents } from '../io/link.js';
import { native, type NativeApplier } from '../io/native.js';
import { TcpServer } from '../io/tcp-server.js';
import { CONNECTION_TICK_MS } from '../limits.js';
import type { NodeContext } from '../node/context.js';
import type { Words } from '../node/hello.js';
import { Session } from './session.js';

export class Secondary {
  readonly #context: NodeContext;
  readonly #applier: NativeApplier;
  readonly #machine: Connection;
  #words: Words;
  #server: TcpServer | null = null;
  #session: Session | null = null;
  /** Number of the connection of `#session`. */
  #connection = 0;
  /** The last session is over and applied. */
  #finished: Promise<void> = Promise.resolve();
  #heardAt: number | null = null;
  #cancelTick: () => void = () => undefined;

  private constructor(context: NodeContext, words: Words) {
    this.#context = context;
    this.#words = words;
    this.#applier = new (native().Applier)(context.rootFd);
    this.#machine = new Connection('listen', context.config.options.peerTimeoutMs);
  }

  /** Protects DIR and listens. Rejects with TwinfsError (port taken, cannot mount). */
  static async start(context: NodeContext, listen: Address, words: Words): Promise<Secondary> {
    const secondary = new Secondary(context, words);
    secondary.#step({ type: 'start' });
    secondary.#server = await TcpServer.listen(listen, { checksum: true }, (link) =>
      secondary.#accept(link),
    );
    try {
      await native().bindReadOnly(context.config.directory);
    } catch (error) {
      void secondary.#server.close();
      throw new TwinfsError(
        'bind-failed',
        'failed',
        `cannot write-protect ${context.config.directory.toString()}: ${errorText(error)}`,
        error,
      );
    }
    return secondary;
  }

  status(): RoleStatus {
    const session = this.#session;
    const marks = session?.loop?.watermarks;
    return {
      engine: null,
      mountpoint: null,
      link: this.#machine.link,
      replication: session?.replication ?? 'Off',
      peer: {
        address: session?.link.remote ?? null,
        data: session?.hello?.data ?? null,
        silentMs: this.#silentMs(),
      },
      reason:
        this.#machine.link === 'Connected'
          ? null
          : (this.#machine.reason?.text ?? 'waiting for the primary to connect'),
      rule: session?.rule ?? null,
      watermarks: marks === undefined ? NO_MARKS : { sent: marks.received, ...marks },
      lag: NO_LAG,
      sync: session?.replication === 'SyncTarget' ? (session.target?.status() ?? null) : null,
    };
  }

  /** May this node become Primary now? */
  checkPromote(force: boolean): PromoteCheck {
    return checkPromote({
      role: 'Secondary',
      data: this.#context.record.current.data,
      primaryAnswers: this.#primaryAnswers(),
      silentMs: this.#silentMs(),
      force,
    });
  }

  /**
   * Stops listening, applies everything received, makes it durable, and takes the write protection
   * away. Rejects with TwinfsError `busy` when DIR cannot be unmounted because it is in use.
   */
  async leave(lazy: boolean): Promise<void> {
    const reason = { code: 'stopping', text: 'the secondary stops serving' };
    this.#step({ type: 'operator-disconnect', reason });
    void this.#server?.close();
    await this.#finished;
    const errno = await this.#applier.commit();
    if (errno !== 0) {
      await this.#context.record.update((record) => ({ ...record, data: 'Inconsistent' }));
    }
    this.#applier.close();
    await native().unmount(this.#context.config.directory, lazy);
  }

  #step(event: ConnectionEvent): ConnectionEffect[] {
    const effects = this.#machine.step(event, this.#context.clock.monotonicMs());
    for (const effect of effects) this.#carryOut(effect);
    return effects;
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'take':
        this.#connection = effect.connection;
        return;
      case 'send-ping':
        this.#session?.link.send({ type: 'ping', number: effect.number });
        return;
      case 'lost':
        this.#context.log.warn({ code: effect.reason.code }, `primary lost: ${effect.reason.text}`);
        return;
      case 'close':
        this.#close(effect.reason.code, effect.reason.text);
        return;
      default:
        // connected, turn-away, stand-alone: nothing beyond what the caller of `#step` does.
        return;
    }
  }

  /** One primary at a time; the machine says whether this one is taken. */
  #accept(link: Link): LinkEvents {
    this.#context.log.info({ from: link.remote }, 'a primary connects');
    const before = this.#connection;
    const turnedAway = this.#step({ type: 'accepted' }).find((e) => e.do === 'turn-away');
    if (turnedAway !== undefined || this.#connection === before) {
      if (turnedAway !== undefined) link.send({ type: 'refuse', ...turnedAway.reason });
      link.end();
      return { message: () => undefined, closed: () => undefined, drained: () => undefined };
    }
    const connection = this.#connection;
    const session = this.#newSession(link, connection);
    this.#session = session;
    this.#tick();
    return {
      message: (message) => session.message(message),
      closed: (code, text) => this.#closed(connection, code, text),
      drained: () => undefined,
    };
  }

  #newSession(link: Link, connection: number): Session {
    return new Session(this.#context, this.#applier, this.#words, link, {
      ready: () => this.#finished,
      decided: () => void this.#step({ type: 'decided', connection }),
      synced: () => {
        this.#words = { overwritePeer: false, discardMine: false };
      },
      refused: (by, code, text) => {
        if (by === 'here') {
          link.send({ type: 'refuse', code, text });
          link.end();
        }
        const reason = { code, text };
        this.#step({ type: 'refused', connection, by, reason, random: randomFraction() });
      },
      broken: (code, text) => this.#closed(connection, code, text),
    });
  }

  #closed(connection: number, code: string, text: string): void {
    this.#step({ type: 'closed', connection, reason: { code, text }, random: randomFraction() });
  }

  #close(code: string, text: string): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#heardAt = session.link.heardAt;
    this.#cancelTick();
    // `end` lets a Refuse out that was just sent; a silent peer is cut after LINK_LINGER_MS.
    if (code === 'peer-silent') session.link.destroy(code, text);
    else session.link.end();
    const before = this.#finished;
    this.#finished = before.then(() => session.finish(text));
  }

  #tick(): void {
    this.#cancelTick();
    this.#cancelTick = this.#context.timers.setTimer(CONNECTION_TICK_MS, () => {
      const session = this.#session;
      if (session === null) return;
      const { heardAt } = session.link;
      this.#step({ type: 'tick', heardAt, stalledSince: null, random: randomFraction() });
      if (this.#session !== null) this.#tick();
    });
  }

  #primaryAnswers(): boolean {
    const silentMs = this.#silentMs();
    const { peerTimeoutMs } = this.#context.config.options;
    return this.#machine.link === 'Connected' && silentMs !== null && silentMs < peerTimeoutMs;
  }

  #silentMs(): number | null {
    const heardAt = this.#session?.link.heardAt ?? this.#heardAt;
    return heardAt === null ? null : Math.round(this.#context.clock.monotonicMs() - heardAt);
  }
}
