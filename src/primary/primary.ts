/**
 * A node as Primary: it mounts DIR, lets the engine apply changes, and hands them to the write path
 * while the peer is there (peer.ts), or to nobody while it is alone (standing.ts). This file
 * composes them and does what an operator asks for: mode, flush, connect, leaving.
 */
import type { Address } from '../config/config.js';
import type { RoleStatus } from '../control/role-status.js';
import type { Mode } from '../core/types.js';
import { createEngine } from '../engine/create.js';
import type { Change, Engine, EngineEvents } from '../engine/engine.js';
import { errorText, TwinfsError, type ExitName } from '../errors.js';
import { LEAVE_TIMEOUT_MS } from '../limits.js';
import type { Words } from '../node/hello.js';
import type { NodeContext } from '../node/context.js';
import { within } from '../node/within.js';
import { Gate } from './gate.js';
import { Peer } from './peer.js';
import { probePeer } from './probe.js';
import { Standing } from './standing.js';

export interface PrimarySettings {
  readonly peer: Address | null;
  readonly words: Words;
  readonly requirePeer: boolean;
}

export interface NodeEnd {
  readonly exit: ExitName;
  readonly message: string;
}

export class Primary {
  readonly #context: NodeContext;
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #standing: Standing;
  readonly #peer: Peer;
  readonly #ended: (end: NodeEnd) => void;
  #leaving = false;

  private constructor(
    context: NodeContext,
    engine: Engine,
    settings: PrimarySettings,
    ended: (end: NodeEnd) => void,
  ) {
    this.#context = context;
    this.#engine = engine;
    this.#ended = ended;
    this.#gate = new Gate(engine);
    this.#standing = new Standing(context, engine, this.#gate);
    this.#peer = new Peer(context, engine, this.#gate, this.#standing, settings);
  }

  /**
   * Mounts and starts looking for the peer. Resolves when DIR answers; rejects with TwinfsError.
   * `ended` is called once the mount is gone and what could be sent is sent.
   */
  static async start(
    context: NodeContext,
    settings: PrimarySettings,
    ended: (end: NodeEnd) => void,
  ): Promise<Primary> {
    const { config } = context;
    const engine = await createEngine(config.engine, context.log);
    const primary = new Primary(context, engine, settings, ended);
    if (settings.requirePeer && settings.peer !== null) {
      await probePeer(context, settings.peer, settings.words);
    }
    await engine.mount(
      {
        sourceFd: context.rootFd,
        mountpoint: config.mountpoint,
        fsname: config.directory.toString(),
        workers: config.options.workers,
        handoffBytesMax: config.options.queueBytes,
        writebackCache: config.options.writebackCache,
      },
      primary.#engineEvents(),
    );
    primary.#standing.start();
    primary.#gate.start();
    primary.#peer.start();
    return primary;
  }

  status(): RoleStatus {
    return {
      engine: this.#engine.name,
      mountpoint: this.#context.config.mountpoint.toString(),
      ...this.#peer.status(this.#gate.reasons),
    };
  }

  /**
   * The new mode takes its place in the stream while nothing is between the gate and the stream, so
   * that whatever the engine answered by the old rule is before it. When it resolves, that place is
   * durable on the peer; where there is none (any more) it learns of the mode by the next resync.
   */
  async setMode(mode: Mode): Promise<void> {
    await this.#context.record.update((record) => ({ ...record, mode }));
    let passed: Promise<boolean>;
    this.#gate.hold('mode');
    try {
      await this.#engine.quiesce();
      passed = this.#peer.modeChanged();
    } finally {
      this.#gate.release('mode');
    }
    if (!(await passed)) this.#context.log.info({ mode }, 'the peer is told the mode later');
  }

  /**
   * Everything answered before is durable on both nodes when it resolves. Rejects with TwinfsError
   * `flush-alone` when it is durable here and there is a peer that does not have it.
   */
  async flush(): Promise<void> {
    let passed: Promise<boolean>;
    this.#gate.hold('flush');
    try {
      this.#engine.flushTimes();
      await this.#engine.quiesce();
      passed = this.#peer.flushed();
    } finally {
      this.#gate.release('flush');
    }
    await this.#engine.syncLocal();
    if (await passed) return;
    const { peer, reason } = this.status();
    throw new TwinfsError(
      'flush-alone',
      'peerUnreachable',
      `everything is durable on this node, but not on the peer ${peer.address ?? ''} ` +
        `(${reason ?? 'it is being synchronised'}); flush again when "twinfs status" says Established`,
    );
  }

  /** Dials now; `overwritePeer` is good for the next resync. */
  connect(overwritePeer: boolean, peer: Address | null): void {
    this.#peer.connect(overwritePeer, peer);
  }

  /** A real umount(2): rejects with TwinfsError `busy` when in use. The end follows by `ended`. */
  async leave(lazy: boolean): Promise<void> {
    try {
      await this.#engine.unmount(lazy);
    } catch (error) {
      const name = this.#context.config.mountpoint.toString();
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') {
        throw new TwinfsError(
          'busy',
          'inUse',
          `${name} is in use: end the programs that use it (see "fuser -vm ${name}"), or detach it with --lazy`,
          error,
        );
      }
      throw new TwinfsError(
        'umount-failed',
        'failed',
        `cannot unmount ${name}: ${errorText(error)}`,
        error,
      );
    }
  }

  /** Before a `leave` that must not fail: nobody is left waiting for a peer that is away. */
  giveUp(): void {
    this.#standing.giveUp();
  }

  #engineEvents(): EngineEvents {
    return {
      changes: (batch) => this.#changes(batch),
      waitingAtGate: () => this.#standing.waiterAtGate(),
      localSyncFailed: (errno) => void this.#localSyncFailed(errno),
      ended: (reason) => void this.#end(reason),
    };
  }

  #changes(batch: readonly Change[]): void {
    const path = this.#peer.writePath;
    if (path !== null) path.changes(batch);
    else this.#standing.park(batch);
  }

  /**
   * The kernel may have dropped what it could not write: this copy is not to be trusted or changed.
   */
  async #localSyncFailed(errno: number): Promise<void> {
    this.#engine.setReadOnly(true);
    this.#context.log.error(
      { errno },
      'the local disk failed to store data: this copy is Inconsistent and refuses changes; promote the peer',
    );
    await this.#context.record
      .update((record) => ({ ...record, data: 'Inconsistent' }))
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'record not written'));
  }

  /** The mount is gone: send what is left, say goodbye, leave a clean record. */
  async #end(reason: 'unmounted' | 'aborted'): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    const { log, record, timers } = this.#context;
    log.info({ reason }, 'the mount has ended');
    await this.#engine.quiesce();
    const stopped = await within(this.#peer.stop(), LEAVE_TIMEOUT_MS, timers);
    if (!stopped) log.warn('the peer did not confirm everything before the time-out');
    this.#standing.abandon();
    await this.#engine.syncLocal().catch((error: unknown) => {
      log.error({ err: error }, 'the local copy could not be synced');
    });
    await record.update((current) => ({ ...current, clean: stopped && reason === 'unmounted' }));
    this.#ended({
      exit: reason === 'unmounted' ? 'ok' : 'failed',
      message: reason === 'unmounted' ? 'unmounted' : 'the kernel aborted the mount',
    });
  }
}
