/**
 * What a tree holds, in numbers and in one digest of everything both nodes must agree on: names,
 * types, modes, owners, sizes, mtimes to the nanosecond, link structure, symlink targets, contents.
 * Independent of the product's own way of reading trees.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
} from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

export interface TreeSummary {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
  readonly digest: string;
}

const CHUNK_BYTES = 1024 * 1024;

class Walk {
  files = 0;
  directories = 0;
  links = 0;
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  /** First name of each inode that has several. */
  readonly #names = new Map<bigint, string>();

  async visit(path: string, name: string): Promise<void> {
    const stat = lstatSync(path, { bigint: true });
    this.#note(name, stat);
    if (stat.isDirectory()) {
      this.directories += 1;
      // The event loop goes on between directories: the live line, the loads.
      await turn();
      for (const entry of readdirSync(path).sort())
        await this.visit(`${path}/${entry}`, `${name}/${entry}`);
    } else if (stat.isSymbolicLink()) {
      this.links += 1;
      this.#hash.update(readlinkSync(path));
    } else if (stat.isFile()) {
      this.files += 1;
      this.#contents(path);
    }
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }

  #note(name: string, stat: BigIntStats): void {
    const size = stat.isDirectory() ? 0n : stat.size;
    const first = this.#names.get(stat.ino) ?? name;
    if (stat.nlink > 1n && !stat.isDirectory()) this.#names.set(stat.ino, first);
    const facts = [first, stat.mode, stat.uid, stat.gid, size, stat.mtimeNs, stat.rdev];
    this.#hash.update(`${JSON.stringify(name)} ${facts.join(' ')}\n`);
  }

  #contents(path: string): void {
    const fd = openSync(path, 'r');
    try {
      for (let got = -1; got !== 0;) {
        got = readSync(fd, this.#chunk, 0, CHUNK_BYTES, null);
        this.bytes += got;
        this.#hash.update(this.#chunk.subarray(0, got));
      }
    } finally {
      closeSync(fd);
    }
  }
}

export async function summarize(directory: string): Promise<TreeSummary> {
  const walk = new Walk();
  await walk.visit(directory, '');
  const { files, directories, links, bytes } = walk;
  return { files, directories, links, bytes, digest: walk.digest() };
}
