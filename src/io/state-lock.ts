/**
 * One daemon per state directory: an exclusive flock(2) on `<state>/lock`. The kernel drops it with
 * the last descriptor, so it dies with the process, however that ends, and no stale file can be in
 * the way.
 *
 * Node has no flock. The `flock` command of util-linux takes the lock on a descriptor it inherits;
 * the lock belongs to the open file, which is ours and stays open after the command has ended.
 */
import { spawn } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, TwinfsError } from '../errors.js';

export interface StateLock {
  /** Gives the lock back. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a state directory that exists. TwinfsError `state-locked` (exit alreadyMounted)
 * when another process has it; its pid, as it wrote it, is in the message.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  const path = join(stateDir, 'lock');
  let file: FileHandle;
  try {
    file = await open(path, 'a+', 0o600);
  } catch (cause) {
    const text = `cannot open ${path}: ${errorText(cause)}; make the state directory writable or name another with --state`;
    throw new TwinfsError('state-unusable', 'badState', text, cause);
  }
  try {
    if (!(await tryLock(file.fd))) {
      const owner = (await file.readFile('utf8')).trim();
      const who = owner === '' ? 'another process' : `process ${owner}`;
      const text = `${stateDir} is in use by ${who}; "twinfs status" shows it, --state names another directory`;
      throw new TwinfsError('state-locked', 'alreadyMounted', text);
    }
    // Appending after truncation: the descriptor is in append mode, so the position does not
    // matter.
    await file.truncate(0);
    await file.appendFile(`${process.pid}\n`);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { release: () => file.close() };
}

/** True when `fd` has the lock now. */
function tryLock(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', '-n', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    child.once('error', (cause) => {
      const text = `cannot run "flock" (${errorText(cause)}), which guards the state directory; install util-linux`;
      reject(new TwinfsError('lock-tool-missing', 'badState', text, cause));
    });
    // flock(1): 1 is "held by another"; anything else is a failure of its own.
    child.once('exit', (code) => {
      if (code === 0 || code === 1) resolve(code === 0);
      else reject(new TwinfsError('lock-failed', 'badState', `flock ended with ${String(code)}`));
    });
  });
}
