/** Mounts as /proc/self/mountinfo shows them, and their lazy removal. Paths may hold any bytes. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';

export interface MountInfo {
  /** Raw bytes, one character each (latin1). */
  readonly mountpoint: string;
  /** "fuse.twinfs", "ext4" … */
  readonly type: string;
  readonly source: string;
  readonly options: string;
}

/** Undoes the \040 escapes of proc(5). */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const left = before.split(' ');
      const right = after.split(' ');
      return {
        mountpoint: unescape(left[4] ?? ''),
        type: right[0] ?? '',
        source: unescape(right[1] ?? ''),
        options: left[5] ?? '',
      };
    });
}

export const listMounts = (): MountInfo[] =>
  parseMountInfo(fs.readFileSync('/proc/self/mountinfo', 'latin1'));

/** Mounts at `directory` (a UTF-8 path) or below it, in the order they were made. */
export function mountsBelow(directory: string): MountInfo[] {
  const prefix = Buffer.from(directory).toString('latin1');
  return listMounts().filter(
    ({ mountpoint }) => mountpoint === prefix || mountpoint.startsWith(`${prefix}/`),
  );
}

/** `umount -l`; the shell's printf makes the bytes that an argument of spawn cannot carry. */
export function unmountLazily(mountpoint: string): void {
  const octal = [...mountpoint]
    .map((character) => `\\0${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
    .join('');
  spawnSync('sh', ['-c', 'umount -l -- "$(printf %b "$1")"', 'sh', octal], {
    stdio: 'ignore',
    // umount(8) may look at the path, which a stopped daemon does not answer.
    timeout: 5_000,
    killSignal: 'SIGKILL',
  });
}

/** Removes every mount at or below `directory`, the newest first. */
export function unmountBelow(directory: string): void {
  // Twice: a mount hidden under another shows its true place only once that is gone.
  for (let round = 0; round < 2; round += 1) {
    for (const { mountpoint } of mountsBelow(directory).reverse()) unmountLazily(mountpoint);
  }
}
