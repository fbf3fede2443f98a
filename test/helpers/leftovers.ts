/**
 * What a test may leave behind below its temporary directory: mounts, and processes whose arguments
 * name it. The runner cleans those of dead runs first, and fails a file that leaves any.
 */
import { mountsBelow, unmountBelow } from './mounts.js';
import { removeTree } from './remove-tree.js';
import { killUntilGone, processesMentioning } from './processes.js';

/** One line each; empty when all is clean. */
export function findLeftovers(directory: string): string[] {
  const mounts = mountsBelow(directory).map(
    (mount) => `mount ${mount.mountpoint} (${mount.type}, ${mount.options})`,
  );
  const processes = processesMentioning(directory).map(
    (info) => `process ${info.pid}: ${info.argv.join(' ').slice(0, 300)}`,
  );
  return [...mounts, ...processes];
}

/** Kills the processes that name `directory` and removes the mounts at and below it; files stay. */
export async function clearBelow(directory: string): Promise<void> {
  // Mounts first: a process that waits for a stopped daemon cannot be killed before its mount is
  // gone.
  unmountBelow(directory);
  const find = (): number[] => processesMentioning(directory).map((info) => info.pid);
  await killUntilGone(find, `the processes that name ${directory}`);
  unmountBelow(directory);
}

/** clearBelow, and the directory goes too. */
export async function removeLeftovers(directory: string): Promise<void> {
  await clearBelow(directory);
  removeTree(directory);
}
