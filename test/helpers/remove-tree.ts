/**
 * Removes a tree that may hold anything: paths longer than the kernel takes (rm goes down by
 * descriptors, fs.rm by path strings), and mounts, which it does not enter.
 */
import { spawnSync } from 'node:child_process';

export function removeTree(directory: string): void {
  const args = ['-rf', '--one-file-system', '--', directory];
  const { status, stderr } = spawnSync('rm', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`rm of ${directory}: ${stderr}`);
}
