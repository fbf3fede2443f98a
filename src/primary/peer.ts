/**
 * The primary's peer: carries out what core/connection.ts decides (dial, handshake, retry, loss),
 * compares the generations, and gives the connection to a Session once both sides agree.
 */
import { assert } from '../assert.js';
import { formatAddress } from '../config/address.js';
import type { Address } from '../config/config.js';
import type { RoleStatus } from '../control/role-status.js';
import { NO_LAG, NO_MARKS } from '../control/role-status.js';
import { Connection, type ConnectionEffect, type ConnectionEvent } from '../core/connection.js';
import { compare } from '../core/generation.js';
import type { Engine } from '../engine/engine.js';
import { errorText } from '../errors.js';
import { randomFraction } from '../io/ids.js';
import type { Link } from '../io/link.js';
import { connectLink } from '../io/tcp-link.js';
import { CONNECTION_TICK_MS, DIAL_TIMEOUT_MS } from '../limits.js';
import type { NodeContext } from '../node/context.js';
import { ownHello, type Words } from '../node/hello.js';
import { refusal } from '../wire/handshake.js';
import type { Hello, Message } from '../wire/messages.js';
import type { Gate, HoldReason } from './gate.js';
import { Session } from './session.js';
import type { Standing } from './standing.js';
import type { WritePath } from './write-path.js';

export interface PeerSettings {
  readonly peer: Address | null;
  readonly words: Words;
}

type Status = Omit<RoleStatus, 'engine' | 'mountpoint'>;

export class Peer {
  readonly #context: NodeContext;
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #standing: Standing;
  readonly #machine: Connection;
  #address: Address | null;
  #words: Words;
  /** The connection in force, from its dial on. */
  #connection = 0;
  #link: Link | null = null;
  #hello: Hello | null = null;
  #session: Session | null = null;
  #rule: string | null = null;
  /** Why the last session ended, until one is synced again. */
  #lostFor: string | null = null;
  #heardAt: number | null = null;
  #cancelRetry: () => void = () => undefined;
  #cancelTick: () => void = () => undefined;

  constructor(
    context: NodeContext,
    engine: Engine,
    gate: Gate,
    standing: Standing,
    settings: PeerSettings,
  ) {
    this.#context = context;
    this.#engine = engine;
    this.#gate = gate;
    this.#standing = standing;
    this.#address = settings.peer;
    this.#words = settings.words;
    this.#machine = new Connection('dial', context.config.options.peerTimeoutMs);
  }

  start(): void {
    if (this.#address !== null) this.#step({ type: 'start' });
  }

  /** Where changes go; null while the peer does not take them. */
  get writePath(): WritePath | null {
    return this.#session?.writePath ?? null;
  }

  /** Tries now. `overwritePeer` is good until the next resync has ended. */
  connect(overwritePeer: boolean, address: Address | null): void {
    this.#address = address ?? this.#address;
    if (overwritePeer) this.#words = { ...this.#words, overwritePeer };
    if (this.#address !== null) this.#step({ type: 'operator-connect' });
  }

  /**
   * The record has another mode: the stream says from where on. True when that place is durable on
   * the peer, false when there is no stream, or none any more.
   */
  modeChanged(): Promise<boolean> {
    const session = this.#session;
    const place = session?.writePath?.setRule(session.rule);
    this.#standing.modeChanged();
    return hasPassed(place);
  }

  /** Everything sent so far is durable on the peer, or there is none to have it. */
  flushed(): Promise<boolean> {
    if (this.#address === null && this.writePath === null) return Promise.resolve(true);
    return hasPassed(this.writePath?.barrier('flush'));
  }

  /** Says goodbye: everything sent is durable on the peer when it resolves. */
  async stop(): Promise<void> {
    try {
      await this.writePath?.barrier('stop');
    } finally {
      const reason = { code: 'unmounted', text: 'the primary was unmounted' };
      this.#step({ type: 'operator-disconnect', reason });
    }
  }

  status(holds: readonly HoldReason[]): Status {
    const session = this.#session;
    const tracker = session?.writePath?.tracker;
    const now = this.#context.clock.monotonicMs();
    const heardAt = this.#link?.heardAt ?? this.#heardAt;
    return {
      link: this.#machine.link,
      replication: session === null ? 'Off' : session.isSynced ? 'Established' : 'SyncSource',
      peer: {
        address: this.#address === null ? null : formatAddress(this.#address),
        data: session === null ? null : session.isSynced ? 'UpToDate' : 'Inconsistent',
        silentMs: heardAt === null ? null : Math.max(0, Math.round(now - heardAt)),
      },
      reason: this.#reason(holds),
      rule: this.#rule,
      watermarks:
        tracker === undefined ? NO_MARKS : { sent: tracker.sentSeq, ...tracker.watermarks },
      lag: tracker?.lag(now) ?? NO_LAG,
      sync: session?.sync ?? null,
    };
  }

  #reason(holds: readonly HoldReason[]): string | null {
    const why = this.#whyNotMirrored();
    if (holds.includes('peer-away')) {
      return `writers wait for the peer (on_peer_loss=block): ${why ?? 'it is back'}`;
    }
    if (why === null || !this.#standing.isFenced) return why;
    return `changes are refused until the peer is back (on_peer_loss=read-only): ${why}`;
  }

  #whyNotMirrored(): string | null {
    if (this.#session !== null) {
      if (this.#lostFor === null || this.#session.isSynced) return null;
      return `resynchronising; before that: ${this.#lostFor}`;
    }
    if (this.#address === null) {
      return 'no peer is configured; name it with "twinfs connect DIR --peer HOST:PORT"';
    }
    return this.#machine.reason?.text ?? null;
  }

  #step(event: ConnectionEvent): void {
    for (const effect of this.#machine.step(event, this.#context.clock.monotonicMs())) {
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.do) {
      case 'dial':
        this.#dial(effect.connection);
        return;
      case 'send-hello':
        void this.#sendHello(effect.connection).catch(this.#cannotGreet(effect.connection));
        return;
      case 'send-ping':
        this.#link?.send({ type: 'ping', number: effect.number });
        return;
      case 'connected':
        this.#connected();
        return;
      case 'lost':
        this.#context.log.warn({ code: effect.reason.code }, `peer lost: ${effect.reason.text}`);
        this.#session?.lose(effect.reason.text);
        this.#session = null;
        this.#lostFor = effect.reason.text;
        return;
      case 'close':
        this.#close(effect.reason.code, effect.reason.text);
        return;
      case 'retry':
        this.#cancelRetry();
        this.#cancelRetry = this.#context.timers.setTimer(effect.afterMs, () =>
          this.#step({ type: 'retry-due' }),
        );
        return;
      case 'cancel-retry':
        this.#cancelRetry();
        return;
      case 'stand-alone':
        this.#context.log.warn(
          { code: effect.reason.code },
          `standing alone: ${effect.reason.text}`,
        );
        return;
      default:
        assert(false, `a dialling node does not ${effect.do}`);
    }
  }

  #dial(connection: number): void {
    assert(this.#address !== null, 'there is somebody to dial');
    this.#connection = connection;
    const options = { checksum: true, timeoutMs: DIAL_TIMEOUT_MS };
    connectLink(this.#address, options, (link) => ({
      message: (message) => this.#message(connection, link, message),
      closed: (code, text) => this.#closed(connection, code, text),
      drained: () => this.#session?.drained(),
    })).then(
      (link) => {
        if (this.#connection !== connection) return link.destroy('stale', 'no longer wanted');
        this.#link = link;
        this.#step({ type: 'dialled', connection });
        this.#tick();
      },
      (error: unknown) => {
        const reason = { code: 'peer-unreachable', text: errorText(error) };
        this.#step({ type: 'dial-failed', connection, reason, random: randomFraction() });
      },
    );
  }

  /** Our own directory cannot be looked at: no reason to end, applications may still use it. */
  #cannotGreet(connection: number): (error: unknown) => void {
    return (error) => {
      this.#closed(connection, 'own-disk', `this node's directory fails: ${errorText(error)}`);
    };
  }

  async #sendHello(connection: number): Promise<void> {
    const hello = await ownHello(this.#context, this.#words);
    if (this.#connection === connection) this.#link?.send(hello);
  }

  #message(connection: number, link: Link, message: Message): void {
    if (connection !== this.#connection) return;
    switch (message.type) {
      case 'ping':
        link.send({ type: 'pong', number: message.number });
        return;
      case 'pong':
        return;
      case 'hello':
        void this.#decide(connection, link, message).catch(this.#cannotGreet(connection));
        return;
      case 'refuse':
        this.#refused('peer', message.code, message.text);
        return;
      default:
        if (this.#session !== null) this.#session.message(message);
        else this.#break('unexpected-message', `"${message.type}" before the handshake`);
    }
  }

  async #decide(connection: number, link: Link, hello: Hello): Promise<void> {
    const own = await ownHello(this.#context, this.#words);
    if (connection !== this.#connection) return;
    const foreign = refusal(hello);
    const decision = compare(own, hello);
    this.#rule = decision.rule;
    if (foreign !== null || decision.decision === 'refuse') {
      const code = foreign?.code ?? decision.rule;
      const text = foreign?.text ?? decision.text;
      link.send({ type: 'refuse', code, text });
      link.end();
      // Not destroyed by what follows: the refusal must reach the other side's operator.
      this.#link = null;
      this.#refused('here', code, text);
      return;
    }
    this.#context.log.info({ rule: decision.rule }, decision.text);
    for (const { rule, by } of decision.overruled) {
      this.#context.log.warn({ rule, by }, 'a refusal was overruled by the operator');
    }
    link.send({ type: 'decision', kind: 'full-resync', rule: decision.rule, mirror: own.mirror });
    this.#hello = hello;
    this.#step({ type: 'decided', connection });
  }

  #refused(by: 'here' | 'peer', code: string, text: string): void {
    this.#step({
      type: 'refused',
      connection: this.#connection,
      by,
      reason: { code, text },
      random: randomFraction(),
    });
  }

  #connected(): void {
    const link = this.#link;
    const hello = this.#hello;
    assert(link !== null && hello !== null, 'the handshake is done');
    const session = new Session(this.#context, this.#engine, this.#gate, this.#standing, {
      link,
      hello,
      break: (code, text) => {
        if (this.#session === session) this.#break(code, text);
      },
    });
    this.#session = session;
    void session.run().then(() => {
      if (!session.isSynced) return;
      this.#words = { overwritePeer: false, discardMine: false };
      this.#lostFor = null;
    });
  }

  /** Ends the connection for a reason of ours; the machine decides what follows. */
  #break(code: string, text: string): void {
    this.#closed(this.#connection, code, text);
  }

  #closed(connection: number, code: string, text: string): void {
    this.#step({ type: 'closed', connection, reason: { code, text }, random: randomFraction() });
  }

  #close(code: string, text: string): void {
    this.#heardAt = this.#link?.heardAt ?? this.#heardAt;
    this.#link?.destroy(code, text);
    this.#link = null;
    this.#hello = null;
    this.#connection = 0;
    this.#cancelTick();
  }

  #tick(): void {
    this.#cancelTick();
    this.#cancelTick = this.#context.timers.setTimer(CONNECTION_TICK_MS, () => {
      const link = this.#link;
      if (link === null) return;
      this.#step({
        type: 'tick',
        heardAt: link.heardAt,
        stalledSince: this.#session?.stalledSince() ?? null,
        random: randomFraction(),
      });
      if (this.#link !== null) this.#tick();
    });
  }
}

/** True when the barrier passed, false when its link was lost or there is no stream. */
function hasPassed(barrier: Promise<void> | undefined): Promise<boolean> {
  if (barrier === undefined) return Promise.resolve(false);
  return barrier.then(
    () => true,
    () => false,
  );
}
