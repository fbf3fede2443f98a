/**
 * What the target says about one file while the source works on it: its hashes as they come, and
 * the end.
 */
import type { FileDone, FileHashes } from '../wire/messages.js';
import type { FileListener } from './source-channel.js';

const HASH_BYTES = 8;

export class FileReplies implements FileListener {
  readonly #blocksMax: number;
  #hashes = Buffer.alloc(0);
  /** Blocks whose hashes are here; `last` says that no more come. */
  #blocks = 0;
  #last = false;
  #size = 0;
  #done: FileDone | null = null;
  #error: Error | null = null;
  #waiters: { blocks: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  /** `blocksMax`: blocks of the source's file; hashes beyond it are not kept. */
  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  /** Size of the target's file, once hashes came. */
  get targetSize(): number {
    return this.#size;
  }

  /** The target's answer, null while it works. */
  get answer(): FileDone | null {
    return this.#done;
  }

  hashes(message: FileHashes): void {
    if (this.#blocks === 0) {
      this.#size = message.size;
      this.#hashes = Buffer.alloc(this.#blocksMax * HASH_BYTES);
    }
    message.hashes.copy(this.#hashes, message.firstBlock * HASH_BYTES);
    this.#blocks = message.firstBlock + message.hashes.length / HASH_BYTES;
    this.#last ||= message.last;
    this.#wake();
  }

  done(message: FileDone): void {
    this.#done = message;
    this.#last = true;
    this.#wake();
  }

  failed(error: Error): void {
    this.#error = error;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Resolves when the first `blocks` hashes are here, or no more will come. */
  reach(blocks: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      else if (this.#last || this.#blocks >= blocks) resolve();
      else this.#waiters.push({ blocks, resolve, reject });
    });
  }

  /** Resolves with the target's final answer. */
  async finished(): Promise<FileDone> {
    while (this.#done === null) {
      await new Promise<void>((resolve, reject) => {
        if (this.#error !== null) reject(this.#error);
        else this.#waiters.push({ blocks: Infinity, resolve, reject });
      });
    }
    return this.#done;
  }

  /**
   * Whether block `block` with this hash (8 bytes in `hashes` at `at`) is another one over there.
   */
  differs(block: number, hashes: Buffer, at: number): boolean {
    if (block >= Math.min(this.#blocks, this.#blocksMax)) return true;
    const other = block * HASH_BYTES;
    return (
      this.#hashes.readUInt32LE(other) !== hashes.readUInt32LE(at) ||
      this.#hashes.readUInt32LE(other + 4) !== hashes.readUInt32LE(at + 4)
    );
  }

  #wake(): void {
    const ready =
      this.#done !== null ? Infinity : this.#last ? Number.MAX_SAFE_INTEGER : this.#blocks;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.blocks <= ready) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}
