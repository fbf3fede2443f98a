/**
 * One connection from a primary, seen by the secondary: Hello, its decision, the resync, then the
 * stream. Messages go where they belong (apply-loop.ts, resync/target.ts); what the copy is worth
 * is recorded here, each time before it changes.
 */
import { compare } from '../core/generation.js';
import { adopt, beginTarget } from '../core/record.js';
import { nextData } from '../core/role.js';
import type { DataState, ReplicationState } from '../core/types.js';
import { errorText, TwinfsError } from '../errors.js';
import type { Link } from '../io/link.js';
import { native, type NativeApplier } from '../io/native.js';
import { systemTree } from '../io/tree.js';
import type { NodeContext } from '../node/context.js';
import { ownHello, type Words } from '../node/hello.js';
import { ResyncTarget } from '../resync/target.js';
import { refusal } from '../wire/handshake.js';
import type {
  DecisionMessage,
  Hello,
  Message,
  OpsMessage,
  ResyncToTarget,
  SyncEnd,
} from '../wire/messages.js';
import { ApplyLoop, type ApplyHooks } from './apply-loop.js';

export interface SessionEvents {
  /** Both Hellos are there: resolves when no older connection is still being applied. */
  ready(): Promise<void>;
  /** The primary decided to make this copy equal. */
  decided(): void;
  /** This copy is the primary's now, recorded: the operator's word has done its work. */
  synced(): void;
  /** Either side refused. */
  refused(by: 'here' | 'peer', code: string, text: string): void;
  /** The connection must end for this reason. */
  broken(code: string, text: string): void;
}

type Step = 'hello' | 'greeting' | 'decision' | 'preparing' | 'running' | 'over';

export class Session {
  readonly link: Link;
  readonly #context: NodeContext;
  readonly #applier: NativeApplier;
  readonly #words: Words;
  readonly #events: SessionEvents;
  #step: Step = 'hello';
  #hello: Hello | null = null;
  #rule: string | null = null;
  #loop: ApplyLoop | null = null;
  #target: ResyncTarget | null = null;
  /** The copy is being changed, and the record says so. */
  #isBegun = false;
  #synced = false;

  constructor(
    context: NodeContext,
    applier: NativeApplier,
    words: Words,
    link: Link,
    events: SessionEvents,
  ) {
    this.#context = context;
    this.#applier = applier;
    this.#words = words;
    this.link = link;
    this.#events = events;
  }

  get hello(): Hello | null {
    return this.#hello;
  }

  get rule(): string | null {
    return this.#rule;
  }

  get loop(): ApplyLoop | null {
    return this.#loop;
  }

  get target(): ResyncTarget | null {
    return this.#target;
  }

  get replication(): ReplicationState {
    if (this.#step !== 'running') return 'Off';
    return this.#synced ? 'Established' : 'SyncTarget';
  }

  message(message: Message): void {
    switch (message.type) {
      case 'ping':
        this.link.send({ type: 'pong', number: message.number });
        return;
      case 'pong':
        return;
      case 'ops':
      case 'dirList':
      case 'fileOpen':
      case 'fileData':
      case 'fileClose':
      case 'syncProgress':
      case 'syncEnd':
        if (this.#isBegun || message.type === 'syncProgress') this.#work(message);
        else void this.#begin(message).catch((error: unknown) => this.#fail(error));
        return;
      case 'hello':
        void this.#greet(message).catch((error: unknown) => this.#fail(error));
        return;
      case 'decision':
        void this.#prepare(message).catch((error: unknown) => this.#fail(error));
        return;
      case 'refuse':
        this.#events.refused('peer', message.code, message.text);
        return;
      default:
        this.#unexpected(message);
    }
  }

  /**
   * The connection is gone: resolves when everything received is applied and the record says so.
   */
  async finish(reason: string): Promise<void> {
    if (this.#isOver()) return;
    this.#step = 'over';
    try {
      await this.#target?.abort(reason);
      await this.#loop?.drain();
      await this.#record('link-lost');
    } catch (error) {
      this.#context.log.error({ err: error }, `after the connection: ${errorText(error)}`);
    } finally {
      this.#loop?.close();
    }
  }

  async #greet(hello: Hello): Promise<void> {
    if (this.#step !== 'hello') return this.#unexpected(hello);
    this.#step = 'greeting';
    this.#hello = hello;
    const foreign = refusal(hello);
    if (foreign !== null) return this.#events.refused('here', foreign.code, foreign.text);
    await this.#events.ready();
    const own = await ownHello(this.#context, this.#words);
    if (this.#isOver()) return;
    this.#step = 'decision';
    this.link.send(own);
    const { decision, rule, text } = compare(hello, own);
    if (decision === 'refuse') {
      this.#rule = rule;
      this.#context.log.warn({ rule }, text);
    }
  }

  /** The primary will make this copy equal to its own; `#begin` does the rest when it starts to. */
  async #prepare(decision: DecisionMessage): Promise<void> {
    const { hello } = this;
    if (this.#step !== 'decision' || hello === null) return this.#unexpected(decision);
    this.#step = 'preparing';
    // Messages that follow at once wait in the socket until there is somebody to take them.
    this.link.pause();
    const own = compare(hello, await ownHello(this.#context, this.#words));
    if (own.decision === 'refuse') return this.#events.refused('here', own.rule, own.text);
    this.#rule = decision.rule;
    if (this.#isOver()) return;
    this.#startRunning(hello);
    this.#events.decided();
    this.link.resume();
  }

  /**
   * The first message that changes the copy: from here on it is on its way to the primary's. Not
   * before, as a primary that cannot even read its own disk must not spoil the only good copy.
   */
  async #begin(message: ResyncToTarget | OpsMessage): Promise<void> {
    const { hello } = this;
    if (this.#step !== 'running' || hello === null) return this.#unexpected(message);
    this.#isBegun = true;
    this.link.pause();
    await this.#context.record.update((record) => beginTarget(record, hello));
    if (this.#isOver()) return;
    this.#work(message);
    this.link.resume();
  }

  #work(message: ResyncToTarget | OpsMessage): void {
    if (this.#loop === null || this.#target === null) this.#unexpected(message);
    else if (message.type === 'ops') this.#receive(this.#loop, message);
    else this.#target.handle(message);
  }

  #startRunning(hello: Hello): void {
    const { clock, timers, rootFd, log } = this.#context;
    const { link } = this;
    this.#applier.reset();
    this.#loop = new ApplyLoop(
      { applier: this.#applier, clock, timers, space: () => native().space(rootFd) },
      this.#applyHooks(),
      { mode: hello.mode },
    );
    this.#target = new ResyncTarget({
      tree: systemTree(rootFd),
      link,
      clock,
      timers,
      hooks: {
        end: (message) => this.#syncEnded(message),
        failed: (error) => this.#fail(error),
      },
    });
    this.#step = 'running';
    log.info({ rule: this.#rule }, 'resync begins: this copy is the target');
  }

  #receive(loop: ApplyLoop, message: OpsMessage): void {
    try {
      loop.receive(message);
    } catch (error) {
      if (!(error instanceof TwinfsError)) throw error;
      this.#events.broken(error.code, error.message);
    }
  }

  #applyHooks(): ApplyHooks {
    const { link } = this;
    const { log, record } = this.#context;
    return {
      ack: (message) => void link.send(message),
      pause: () => link.pause(),
      resume: () => link.resume(),
      barrier: async (op) => {
        if (op.why !== 'mode') return;
        await record.update((current) => ({ ...current, mode: op.mode }));
      },
      failed: ({ seq, text }) => {
        log.error({ seq }, `change ${seq} could not be applied, this copy stays behind: ${text}`);
        this.#recordFailure('primary-moved-on');
      },
      syncFailed: (errno) => {
        log.error({ errno }, 'the disk failed to store data: this copy is Inconsistent');
        this.#recordFailure('disk-failed');
      },
    };
  }

  #recordFailure(event: 'primary-moved-on' | 'disk-failed'): void {
    this.#record(event).catch((error: unknown) => {
      this.#context.log.error(
        { err: error },
        `cannot store the node's record: ${errorText(error)}`,
      );
    });
  }

  /** Everything the source has is here: durable first, then recorded. */
  async #syncEnded(end: SyncEnd): Promise<void> {
    const { record, rootFd } = this.#context;
    // It may have changed since the Hello, and a barrier may change it again while the disk works.
    this.#loop?.setMode(end.mode);
    await record.update((current) => ({ ...current, mode: end.mode }));
    await native().syncfs(rootFd);
    await record.update((current) => adopt(current, { ...end, mode: current.mode }));
    this.#synced = true;
    this.#events.synced();
    this.#context.log.info({ current: end.current }, 'resync complete: this copy is UpToDate');
  }

  async #record(event: 'link-lost' | 'primary-moved-on' | 'disk-failed'): Promise<void> {
    await this.#context.record.update((record) => {
      const data: DataState = nextData(record.data, event);
      return data === record.data ? record : { ...record, data };
    });
  }

  /** This side cannot go on (its disk, mostly): the primary is told why and tries again later. */
  #fail(error: unknown): void {
    if (this.#isOver()) return;
    this.#context.log.error({ err: error }, `the connection fails: ${errorText(error)}`);
    this.#events.refused('here', 'target-failed', `the peer failed: ${errorText(error)}`);
  }

  #unexpected(message: Message): void {
    this.#events.broken('unexpected-message', `"${message.type}" at this place of the protocol`);
  }

  #isOver(): boolean {
    return this.#step === 'over';
  }
}
