/**
 * Counts the files and bytes of a tree, beside the first pass and ahead of it, so that progress can
 * say how much there is. What changes meanwhile makes it an estimate; it is shown as a total only
 * when complete.
 */
import type { TreeEntry } from '../io/native.js';
import type { SyncTree } from '../io/tree.js';
import { joinPath } from '../core/resync-plan.js';
import { isDirectory, isRegular } from './meta.js';

export interface TreeCount {
  readonly files: number;
  readonly bytes: number;
}

/**
 * null when `stopped` says so first. Directories that cannot be read count as empty: the walk
 * tells.
 */
export async function countTree(tree: SyncTree, stopped: () => boolean): Promise<TreeCount | null> {
  const stack: Buffer[] = [Buffer.alloc(0)];
  const seen = new Set<bigint>();
  let files = 0;
  let bytes = 0;
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const entries: Iterable<TreeEntry> = await tree.readDir(path).catch(() => []);
    if (stopped()) return null;
    for (const entry of entries) {
      if (isDirectory(entry.mode)) stack.push(joinPath(path, entry.name));
      if (!isRegular(entry.mode) || entry.size === 0) continue;
      // Further names of a file are linked, not compared.
      if (entry.nlink > 1 && seen.has(entry.ino)) continue;
      if (entry.nlink > 1) seen.add(entry.ino);
      files += 1;
      bytes += entry.size;
    }
  }
  return { files, bytes };
}
