/**
 * The gate every change passes before it is applied. Several parties may hold it closed, each with
 * a named reason (shown by `status`): until going alone is durable, while a resync takes its last
 * pass, while a flush places its barrier, while the peer is away under `on_peer_loss: block`. It is
 * open when nobody does.
 */
import { assert } from '../assert.js';
import type { Engine } from '../engine/engine.js';

export type HoldReason =
  'alone-not-recorded' | 'resync' | 'throttle' | 'flush' | 'mode' | 'peer-away';

export class Gate {
  readonly #engine: Pick<Engine, 'setGate'>;
  readonly #holds = new Map<HoldReason, number>();
  #waiting = false;

  /** The engine starts with a closed gate: call `start` once the first holds are in place. */
  constructor(engine: Pick<Engine, 'setGate'>) {
    this.#engine = engine;
  }

  start(): void {
    this.#apply();
  }

  hold(reason: HoldReason): void {
    this.#holds.set(reason, (this.#holds.get(reason) ?? 0) + 1);
    if (this.#holds.size === 1) this.#engine.setGate(false);
  }

  release(reason: HoldReason): void {
    const count = this.#holds.get(reason) ?? 0;
    assert(count > 0, `the gate is held for ${reason}`);
    if (count > 1) this.#holds.set(reason, count - 1);
    else this.#holds.delete(reason);
    this.#apply();
  }

  isHeldFor(reason: HoldReason): boolean {
    return this.#holds.has(reason);
  }

  /** Reasons in force, for status. */
  get reasons(): HoldReason[] {
    return [...this.#holds.keys()];
  }

  /**
   * A change waits (the engine says it once per closing, so it is remembered until the gate opens).
   */
  get hasWaiter(): boolean {
    return this.#waiting;
  }

  noteWaiter(): void {
    this.#waiting = true;
  }

  #apply(): void {
    if (this.#holds.size > 0) return;
    this.#waiting = false;
    this.#engine.setGate(true);
  }
}
