/** Changes a marked tree at random, one operation at a time, from a seed. */
import type { MarkedTree } from './marked-tree.js';

/** Small and repeatable (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SIZES = [0, 1, 100, 4096, 5000, 140_000, 300_000];

export class TreeMutator {
  readonly #tree: MarkedTree;
  readonly #random: (below: number) => number;
  #made = 0;

  constructor(tree: MarkedTree, seed: number) {
    this.#tree = tree;
    this.#random = random(seed);
  }

  /** One change; sometimes none, when what was chosen cannot be done. */
  step(): void {
    const steps = [
      () => this.#write(this.#newPath()),
      () => this.#write(this.#file()),
      () => this.#write(this.#file()),
      () => this.#tree.mkdir(this.#newPath()),
      () => this.#tree.symlink(this.#newPath(), `nowhere/${this.#random(1000)}`),
      () => this.#tree.link(this.#file(), this.#newPath()),
      () => this.#tree.unlink(this.#file()),
      () => this.#tree.rename(this.#file(), this.#newPath()),
      () => this.#tree.rename(this.#file(), this.#file()),
      () => this.#tree.rename(this.#directory(), this.#newPath()),
      () => this.#tree.rmdir(this.#directory()),
      () => this.#tree.truncate(this.#file(), this.#random(10_000)),
      () => this.#tree.chmod(this.#file(), 0o600 + this.#random(0o100)),
      () => this.#tree.chmod(this.#directory(), 0o700 + this.#random(0o100)),
      () => this.#tree.chown(this.#file(), this.#random(1000), this.#random(1000)),
      () => this.#tree.utimes(this.#file(), this.#random(1_000_000_000)),
      () => this.#tree.utimes(this.#directory(), this.#random(1_000_000_000)),
    ];
    try {
      steps[this.#random(steps.length)]?.();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!EXPECTED.has(code)) throw error;
    }
  }

  #write(path: string): void {
    const size = SIZES[this.#random(SIZES.length)] ?? 0;
    const data = Buffer.alloc(size, this.#random(3) === 0 ? 0 : `${this.#random(1_000_000)}`);
    this.#tree.write(path, this.#random(4) * 3000, data);
  }

  #newPath(): string {
    this.#made += 1;
    const directory = this.#random(3) === 0 ? '' : this.#directory();
    return directory === '' ? `n${this.#made}` : `${directory}/n${this.#made}`;
  }

  #file(): string {
    return this.#pick('file');
  }

  #directory(): string {
    return this.#pick('directory');
  }

  #pick(kind: 'file' | 'directory'): string {
    const paths = this.#tree.paths(kind);
    const path = paths[this.#random(Math.max(1, paths.length))];
    if (path === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return path;
  }
}

/** What a chosen operation may meet. ENXIO and EINVAL: a symlink, a directory into itself. */
const EXPECTED = new Set(['ENOENT', 'ENOTEMPTY', 'EINVAL', 'EISDIR', 'ENOTDIR', 'EEXIST', 'ELOOP']);
