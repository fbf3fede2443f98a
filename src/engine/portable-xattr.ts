/**
 * Extended attributes of the portable engine. Node has no calls for them, so `user.` attributes go
 * through the tools of the attr package; everything else (capabilities, ACLs, labels) is said not
 * to exist, without asking, because the kernel asks for it with every write.
 */
import { spawnSync } from 'node:child_process';
import { constants as osConstants } from 'node:os';
import { ErrnoError } from './portable-library.js';

const { ENODATA, EEXIST, EOPNOTSUPP, EIO, ERANGE, ENOENT } = osConstants.errno;
const PREFIX = 'user.';
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
/** What a value may be long (Linux: 64 KiB), and room for messages. */
const OUTPUT_BYTES_MAX = 128 * 1024;
const NO_SUCH = 'No such attribute';

function run(command: string, args: readonly string[]): Buffer {
  // Not in a working directory that could lie below the mount: the child would wait for us, who
  // wait for it.
  const result = spawnSync(command, args, {
    cwd: '/',
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  if (result.error !== undefined) throw new ErrnoError(EOPNOTSUPP);
  if (result.status === 0) return result.stdout;
  const text = result.stderr.toString();
  if (text.includes(NO_SUCH)) throw new ErrnoError(ENODATA);
  if (text.includes('not supported')) throw new ErrnoError(EOPNOTSUPP);
  if (text.includes('No such file')) throw new ErrnoError(ENOENT);
  if (text.includes('too large') || text.includes('out of range')) throw new ErrnoError(ERANGE);
  throw new ErrnoError(EIO);
}

/**
 * `source` is a path to the data that another process can follow. Throws ENODATA where there is
 * none.
 */
export function getXattr(source: string, name: string): Buffer {
  if (!name.startsWith(PREFIX)) throw new ErrnoError(ENODATA);
  const known = ['-h', '--absolute-names', '--only-values', '-n', name, '--', source];
  return run('getfattr', known);
}

/** The `user.` names, each ended by NUL. */
export function listXattr(source: string): Buffer {
  const text = run('getfattr', ['-h', '--absolute-names', '--', source]).toString();
  const names = text.split('\n').filter((line) => line.startsWith(PREFIX));
  return Buffer.from(names.map((name) => `${name}\0`).join(''));
}

export function setXattr(source: string, name: string, value: Buffer, flags: number): void {
  if (!name.startsWith(PREFIX)) throw new ErrnoError(EOPNOTSUPP);
  if ((flags & (XATTR_CREATE | XATTR_REPLACE)) !== 0) {
    const exists = has(source, name);
    if (exists && (flags & XATTR_CREATE) !== 0) throw new ErrnoError(EEXIST);
    if (!exists && (flags & XATTR_REPLACE) !== 0) throw new ErrnoError(ENODATA);
  }
  run('setfattr', ['-h', '-n', name, '-v', `0x${value.toString('hex')}`, '--', source]);
}

export function removeXattr(source: string, name: string): void {
  if (!name.startsWith(PREFIX)) throw new ErrnoError(ENODATA);
  run('setfattr', ['-h', '-x', name, '--', source]);
}

function has(source: string, name: string): boolean {
  try {
    getXattr(source, name);
    return true;
  } catch (error) {
    if (error instanceof ErrnoError && error.errno === ENODATA) return false;
    throw error;
  }
}
