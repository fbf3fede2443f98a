/**
 * The node's durable record in memory and on disk: one update at a time, each stored (and the mark
 * on DIR's root with it) before its promise resolves. Whoever reads `current` sees what is on disk.
 */
import type { NodeRecord } from '../core/types.js';

export class RecordKeeper {
  readonly #store: (record: NodeRecord) => Promise<void>;
  #current: NodeRecord;
  #last: Promise<void> = Promise.resolve();

  /** `store` makes a record durable, root mark included. */
  constructor(initial: NodeRecord, store: (record: NodeRecord) => Promise<void>) {
    this.#current = initial;
    this.#store = store;
  }

  get current(): NodeRecord {
    return this.#current;
  }

  /**
   * Stores `step(current)`. A step that returns the same object writes nothing. Rejects when it
   * cannot.
   */
  update(step: (record: NodeRecord) => NodeRecord): Promise<NodeRecord> {
    const done = this.#last.then(async () => {
      const next = step(this.#current);
      if (next === this.#current) return next;
      await this.#store(next);
      this.#current = next;
      return next;
    });
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Resolves when no update is under way. */
  settled(): Promise<void> {
    return this.#last;
  }
}
