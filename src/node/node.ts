/**
 * A node: one directory, one record, one role at a time. Decides at the start what it is (record,
 * mark, core/role.ts), composes the role, and carries out control commands that change it.
 */
import { constants } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Request, Status } from '../control/messages.js';
import { promoteRecord } from '../core/record.js';
import { serviceWord } from '../core/role.js';
import { errorText, TwinfsError } from '../errors.js';
import { newId } from '../io/ids.js';
import { SHUTDOWN_RETRY_MS } from '../limits.js';
import type { Logger } from '../io/logger.js';
import { native } from '../io/native.js';
import { systemClock, systemTimers } from '../io/system-clock.js';
import { initHash } from '../wire/hash.js';
import { Primary, type NodeEnd } from '../primary/primary.js';
import { Secondary } from '../secondary/secondary.js';
import { VERSION } from '../version.js';
import type { NodeContext } from './context.js';
import { firstRecord } from './first-record.js';
import type { RunningNode, StartNode } from './types.js';

export const startNode: StartNode = (config, log) => Node.start(config, log);

class Node implements RunningNode {
  readonly #context: NodeContext;
  readonly #startedAt = new Date().toISOString();
  #primary: Primary | null = null;
  #secondary: Secondary | null = null;
  /** Told to end, and that it has to wait for users of the mount. */
  #isEnding = false;
  #isToldBusy = false;
  #hasEnded = false;
  #resolveEnd: (end: NodeEnd) => void = () => undefined;
  readonly ended = new Promise<NodeEnd>((resolve) => (this.#resolveEnd = resolve));

  private constructor(context: Omit<NodeContext, 'fatal'>) {
    this.#context = { ...context, fatal: (error) => this.#fatal(error) };
  }

  static async start(config: Config, log: Logger): Promise<Node> {
    await initHash();
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    const rootFd = native().open(config.directory, flags, 0);
    const record = await firstRecord(config, rootFd, log);
    const node = new Node({
      config,
      record,
      rootFd,
      instance: newId(),
      version: VERSION,
      clock: systemClock,
      timers: systemTimers,
      log,
    });
    if (config.start === 'mount') await node.#startPrimary(config.peer, config.requirePeer);
    else await node.#startSecondary();
    return node;
  }

  async handle(request: Request): Promise<unknown> {
    switch (request.command) {
      case 'status':
        return this.#status();
      case 'mode':
        return this.#asPrimary().setMode(request.mode);
      case 'flush':
        return this.#asPrimary().flush();
      case 'connect':
        return this.#asPrimary().connect(request.overwritePeer, request.peer);
      case 'umount':
        return this.#asPrimary().leave(request.lazy);
      case 'stop':
        return this.#stopServing();
      case 'promote':
        return this.#promote(request);
    }
  }

  async shutdown(signal: string): Promise<void> {
    this.#context.log.info({ signal }, 'asked to end');
    if (this.#secondary !== null) return this.#stopServing();
    const isAgain = this.#isEnding;
    this.#isEnding = true;
    const primary = this.#asPrimary();
    primary.giveUp();
    if (isAgain) return primary.leave(true);
    return this.#leaveWhenUnused(primary);
  }

  /**
   * Whoever uses an in-place mount would go on in the bare directory if it were taken away below
   * them, and what they write there the peer never gets: so the node serves until they have ended.
   * Asked a second time it detaches all the same.
   */
  async #leaveWhenUnused(primary: Primary): Promise<void> {
    const { log, timers } = this.#context;
    try {
      await primary.leave(false);
    } catch (error) {
      if (!(error instanceof TwinfsError) || error.code !== 'busy') throw error;
      if (!this.#isToldBusy) log.warn({ err: error }, 'ends when nobody uses the mount any more');
      this.#isToldBusy = true;
      timers.setTimer(SHUTDOWN_RETRY_MS, () => {
        if (this.#hasEnded) return;
        this.#leaveWhenUnused(primary).catch((failure: unknown) => {
          log.error({ err: failure }, `cannot end: ${errorText(failure)}`);
        });
      });
    }
  }

  async #startPrimary(peer: Config['peer'], requirePeer: boolean): Promise<void> {
    const { overwritePeer } = this.#context.config;
    const settings = { peer, requirePeer, words: { overwritePeer, discardMine: false } };
    this.#primary = await Primary.start(this.#context, settings, (end) => this.#end(end));
  }

  async #startSecondary(): Promise<void> {
    const { listen, discardMine } = this.#context.config;
    if (listen === null) throw new TwinfsError('no-listen', 'usage', 'serve needs --listen');
    const words = { overwritePeer: false, discardMine };
    this.#secondary = await Secondary.start(this.#context, listen, words);
  }

  async #stopServing(): Promise<void> {
    const secondary = this.#secondary;
    if (secondary === null) {
      throw new TwinfsError(
        'not-serving',
        'usage',
        'this node is Primary and does not serve; end it with "twinfs umount"',
      );
    }
    await secondary.leave(true);
    await this.#context.record.update((record) => ({ ...record, clean: true }));
    this.#end({ exit: 'ok', message: 'stopped serving' });
  }

  /** Secondary → Primary: everything received is applied first; the mount then answers in place. */
  async #promote(request: Extract<Request, { command: 'promote' }>): Promise<{ heard: string }> {
    const secondary = this.#secondary;
    if (secondary === null) {
      throw new TwinfsError('already-primary', 'refused', 'this node is Primary already');
    }
    const check = secondary.checkPromote(request.force);
    if (check.refusal !== null) {
      throw new TwinfsError(check.refusal.code, 'refused', check.refusal.text);
    }
    this.#context.log.warn({ heard: check.heard, force: request.force }, 'promoting this copy');
    await secondary.leave(true);
    this.#secondary = null;
    try {
      await this.#context.record.update((r) => promoteRecord(r, newId(), request.mode));
      await this.#startPrimary(request.peer, false);
    } catch (error) {
      this.#fatal(
        new TwinfsError(
          'promote-failed',
          'failed',
          `the promotion failed half-way: ${errorText(error)}; the copy is intact, mount it with "twinfs mount"`,
          error,
        ),
      );
      throw error;
    }
    return { heard: check.heard };
  }

  #asPrimary(): Primary {
    if (this.#primary !== null) return this.#primary;
    throw new TwinfsError(
      'not-primary',
      'refused',
      'this node is Secondary; ask the primary, or make this one Primary with "twinfs promote"',
    );
  }

  #status(): Status {
    const { config, record, version } = this.#context;
    const role = this.#primary?.status() ?? this.#secondary?.status();
    if (role === undefined)
      throw new TwinfsError('starting', 'failed', 'the node is changing its role');
    const { current } = record;
    return {
      directory: config.directory.toString(),
      state: config.stateDir,
      version,
      role: current.role,
      data: current.data,
      service: serviceWord(current.role, role.replication),
      mode: current.mode,
      mirror: current.mirror,
      current: current.current,
      base: current.base,
      wentAlone: current.wentAlone,
      pids: [process.pid],
      startedAt: this.#startedAt,
      ...role,
    };
  }

  #end(end: NodeEnd): void {
    this.#hasEnded = true;
    this.#resolveEnd(end);
  }

  #fatal(error: TwinfsError): void {
    this.#context.log.fatal({ err: error }, error.message);
    this.#end({ exit: error.exit, message: error.message });
  }
}
