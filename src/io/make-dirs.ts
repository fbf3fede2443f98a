/**
 * mkdir -p. Node's own (`recursive: true`) never returns where the kernel answers ENOENT to a mkdir
 * whose parent exists, as below /proc.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';

/** Throws what mkdir(2) throws, but not for what is there already. */
export function makeDirs(path: string, mode: number): void {
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirs(dirname(path), mode);
    fs.mkdirSync(path, { mode });
  }
}
