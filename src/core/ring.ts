/**
 * A queue of numbers that grows by doubling and never allocates per element: the hot path adds and
 * removes 70,000 of them a second. Pure.
 */
import { assert } from '../assert.js';

const CAPACITY_MIN = 256;

export class NumberRing {
  #slots = new Float64Array(CAPACITY_MIN);
  /** Slot of the oldest element. */
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#slots.length) this.#resize(this.#slots.length * 2);
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = value;
    this.#length += 1;
  }

  /** Removes and returns the oldest. */
  shift(): number {
    const value = this.at(0);
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    // Gives the memory of a past backlog back, far below the doubling point so that it cannot flap.
    if (this.#slots.length > CAPACITY_MIN && this.#length * 8 < this.#slots.length) {
      this.#resize(this.#slots.length / 2);
    }
    return value;
  }

  /** The element `index` places after the oldest. */
  at(index: number): number {
    assert(index >= 0 && index < this.#length, 'ring index in range');
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)] as number;
  }

  clear(): void {
    this.#slots = new Float64Array(CAPACITY_MIN);
    this.#head = 0;
    this.#length = 0;
  }

  /** Capacities are powers of two, so that a mask wraps the index. */
  #resize(capacity: number): void {
    const slots = new Float64Array(capacity);
    for (let i = 0; i < this.#length; i += 1) slots[i] = this.at(i);
    this.#slots = slots;
    this.#head = 0;
  }
}
