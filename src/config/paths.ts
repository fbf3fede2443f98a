/** Paths as bytes: names on Linux are not text. Pure; whoever calls brings readlink(2). */
import { TwinfsError } from '../errors.js';

const LINKS_MAX = 40;

/** True when `path` is `directory` or lies below it; both absolute and canonical. */
export function isWithin(path: Buffer, directory: Buffer): boolean {
  if (path.equals(directory)) return true;
  const prefix = directory.equals(ROOT) ? ROOT : Buffer.concat([directory, ROOT]);
  return path.length > prefix.length && path.subarray(0, prefix.length).equals(prefix);
}

const ROOT = Buffer.from('/');

/** For messages: the path as text, with what is not UTF-8 or would spoil a terminal as \xNN. */
export function showPath(path: Buffer): string {
  const text = path.toString('utf8');
  const faithful = Buffer.from(text, 'utf8').equals(path);
  const shown = faithful ? text : path.toString('latin1');

  const odd = faithful ? /[\x00-\x1f\x7f]/g : /[^\x20-\x7e]/g;
  return shown.replace(odd, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export interface LinkReader {
  /** Target of a symbolic link; null when the path is none, is missing or cannot be asked. */
  readLink(path: Buffer): Buffer | null;
  /**
   * A mount that must not be touched (its daemon may be gone or hang): taken as a plain directory.
   */
  isOpaque(path: Buffer): boolean;
}

/**
 * realpath(3) that asks nothing of the last component but readlink(2), and nothing at all of an
 * opaque mount. Components that do not exist are kept: whoever needs them to exist finds out.
 * `path` is absolute.
 */
export function canonicalPath(path: Buffer, reader: LinkReader): Buffer {
  let done = '';
  let links = 0;
  // Latin-1 keeps every byte, one character each.
  const waiting = split(path).reverse();
  for (;;) {
    const part = waiting.pop();
    if (part === undefined) break;
    if (part === '..') {
      done = done.slice(0, Math.max(0, done.lastIndexOf('/')));
      continue;
    }
    const next = Buffer.from(`${done}/${part}`, 'latin1');
    const target = reader.isOpaque(next) ? null : reader.readLink(next);
    if (target === null) {
      done = `${done}/${part}`;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw tooManyLinks(path);
    if (target[0] === 0x2f) done = '';
    waiting.push(...split(target).reverse());
  }
  return Buffer.from(done === '' ? '/' : done, 'latin1');
}

const split = (path: Buffer): string[] =>
  path
    .toString('latin1')
    .split('/')
    .filter((part) => part !== '' && part !== '.');

const tooManyLinks = (path: Buffer): TwinfsError =>
  new TwinfsError(
    'too-many-links',
    'badDirectory',
    `${showPath(path)}: too many symbolic links; name the directory itself`,
  );
