/**
 * How the primary stands towards its peer, and the one rule about it: *going alone is on disk
 * before the first answer the peer does not have*. Whenever no stream is established and the record
 * does not say so yet, the gate is held; it is recorded at the first change, so that a primary that
 * changes nothing stays in step with its peer.
 */
import { constants } from 'node:os';
import { answerRule } from '../core/ack-policy.js';
import { goAlone } from '../core/record.js';
import { isReadOnly } from '../core/role.js';
import type { Change, Engine, StreamState } from '../engine/engine.js';
import { errorText, TwinfsError } from '../errors.js';
import { newId } from '../io/ids.js';
import type { NodeContext } from '../node/context.js';
import type { Gate } from './gate.js';

export class Standing {
  readonly #context: NodeContext;
  readonly #engine: Engine;
  readonly #gate: Gate;
  /**
   * Callers whose change the peer may not have, waiting for the record (or, under `block`, the
   * peer).
   */
  #unanswered: number[] = [];
  #established = false;
  #recording = false;
  /** The peer has, or had, what this copy has, and is not here (as against: never was). */
  #away = false;
  #streamWhileAlone: StreamState = 'off';

  constructor(context: NodeContext, engine: Engine, gate: Gate) {
    this.#context = context;
    this.#engine = engine;
    this.#gate = gate;
  }

  /**
   * No peer yet. Under `block` and `read-only` a primary that was in step with its peer when it
   * ended waits for it as if it had just lost it, or a restart would undo the policy. One that was
   * promoted is there to go on without.
   */
  start(): void {
    const { config, record } = this.#context;
    const isPromoted = config.start === 'serve';
    this.#away = config.peer !== null && !isPromoted && !record.current.wentAlone;
    this.#stand();
  }

  /**
   * Changes that came while there is no stream: their callers wait here until they may be answered.
   */
  park(batch: readonly Change[]): void {
    let bytes = 0;
    for (const change of batch) {
      bytes += change.bytes;
      if (change.token !== 0) this.#unanswered.push(change.token);
    }
    this.#engine.credit(bytes);
    this.#settle();
  }

  /**
   * The stream is gone. `tokens`: callers whose change the peer may not have; `hadOps`: ops it may
   * lack.
   */
  lost(tokens: readonly number[], hadOps: boolean): void {
    this.#established = false;
    this.#away = true;
    this.#unanswered.push(...tokens);
    this.#stand();
    if (hadOps) this.#settle();
  }

  /** The engine says that a change waits at the gate. */
  waiterAtGate(): void {
    this.#gate.noteWaiter();
    this.#settle();
  }

  /**
   * A resync's last pass did not complete. Called before and after the gate is let go for it: the
   * record may say "shared" since then (the peer was about to be told the generation), so the gate
   * is held for the first change again, and whoever came to it meanwhile is looked at now.
   */
  resumed(): void {
    if (this.#established) return;
    this.#holdUntilRecorded();
    if (this.#gate.hasWaiter) this.#settle();
  }

  /**
   * What the engine does with changes while there is no stream: nothing, or marks for a running
   * resync.
   */
  setStreamWhileAlone(state: 'off' | 'track'): void {
    this.#streamWhileAlone = state;
    if (!this.#established) this.#engine.setStream(state);
  }

  /**
   * The resync is complete and the write path is there: callers wait for the peer again. Everything
   * that waited until now is on both nodes. Resolves when the stream is on; the gate must be held
   * meanwhile.
   */
  established(): void {
    this.#established = true;
    this.#away = false;
    this.#streamWhileAlone = 'off';
    this.#fence();
    this.#engine.setStream('on');
    this.modeChanged();
    this.#answer(0);
    this.#releaseIfHeld('alone-not-recorded');
    this.#releaseIfHeld('peer-away');
  }

  /** Tells the engine who answers from now on. */
  modeChanged(): void {
    const replication = this.#established ? 'Established' : 'Off';
    this.#engine.setAnswer(answerRule(this.#context.record.current.mode, replication));
  }

  /**
   * The node is told to end. Who waits for a peer that is away (`on_peer_loss=block`) would wait
   * for ever, and keep the mount busy: they get an error, as nothing says that their change is
   * safe.
   */
  giveUp(): void {
    if (!this.#gate.isHeldFor('peer-away')) return;
    this.#engine.setReadOnly(true);
    this.#answer(constants.errno.EIO);
  }

  /** The mount is gone: nobody can be answered any more. */
  abandon(): void {
    this.#unanswered = [];
  }

  /** Changes are refused because the peer is away (`on_peer_loss=read-only`). */
  get isFenced(): boolean {
    return !this.#established && this.#isFencedByPolicy();
  }

  #stand(): void {
    const { config, record } = this.#context;
    const mustBlock = config.options.onPeerLoss === 'block' && this.#away;
    if (mustBlock && !this.#gate.isHeldFor('peer-away')) this.#gate.hold('peer-away');
    // What is refused is no change of ours: it must not make a generation.
    if (this.#isFencedByPolicy()) this.#fence();
    this.#holdUntilRecorded();
    if (record.current.wentAlone || this.#gate.hasWaiter || this.#unanswered.length > 0) {
      this.#settle();
    }
  }

  #holdUntilRecorded(): void {
    const isRecorded = this.#context.record.current.wentAlone;
    if (!isRecorded && !this.#gate.isHeldFor('alone-not-recorded')) {
      this.#gate.hold('alone-not-recorded');
    }
  }

  /** Somebody waits for an answer the peer does not have: record that we go alone, then answer. */
  #settle(): void {
    if (this.#established || this.#recording || this.#gate.isHeldFor('peer-away')) return;
    if (this.#context.record.current.wentAlone) {
      this.#answerLocally();
      return;
    }
    // Who waits at the gate while a resync takes its last pass will have a peer, most likely, and
    // who is refused needs no record.
    const needsNone = this.#gate.isHeldFor('resync') || this.#isFencedByPolicy();
    if (this.#unanswered.length === 0 && needsNone) return;
    this.#recording = true;
    this.#context.record
      .update((record) => goAlone(record, newId()))
      .then(
        (record) => {
          this.#recording = false;
          if (this.#established) return;
          this.#context.log.warn({ current: record.current }, 'going on without the peer');
          this.#answerLocally();
        },
        (error: unknown) => this.#cannotRecord(error),
      );
  }

  #cannotRecord(error: unknown): void {
    this.#context.fatal(
      new TwinfsError(
        'record-not-written',
        'badState',
        `cannot record that this node goes on alone, so nothing may be answered: ${errorText(error)}; make the state directory writable and mount again`,
        error,
      ),
    );
  }

  #answerLocally(): void {
    this.#engine.setStream(this.#streamWhileAlone);
    this.modeChanged();
    this.#fence();
    this.#answer(0);
    this.#releaseIfHeld('alone-not-recorded');
  }

  /**
   * A copy whose disk failed refuses changes, and so does a lonely one if the operator wants that.
   */
  #fence(): void {
    const { data } = this.#context.record.current;
    this.#engine.setReadOnly(this.#isFencedByPolicy() || data === 'Inconsistent');
  }

  #isFencedByPolicy(): boolean {
    const { config, record } = this.#context;
    return isReadOnly(record.current.role, config.options.onPeerLoss, this.#away);
  }

  #answer(errno: number): void {
    const tokens = this.#unanswered;
    this.#unanswered = [];
    if (tokens.length > 0) this.#engine.complete(tokens, errno);
  }

  #releaseIfHeld(reason: 'alone-not-recorded' | 'peer-away'): void {
    if (this.#gate.isHeldFor(reason)) this.#gate.release(reason);
  }
}
