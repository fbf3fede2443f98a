/**
 * The name of a mirror's state directory below the state root: the protected directory's path,
 * escaped as `systemd-escape --path` does it ("/srv/my data" is "srv-my\x20data"), so that an
 * operator can read it, two nodes on one machine never share one, and any bytes fit. Pure.
 */
import { createHash } from 'node:crypto';
import { NAME_BYTES_MAX } from '../limits.js';

export const STATE_ROOT = '/var/lib/twinfs';

const HASH_CHARACTERS = 16;

/**
 * `path` is absolute and canonical. A name longer than a file name may be ends in a hash of the
 * path.
 */
export function stateName(path: Buffer): string {
  const name = escapePath(path);
  if (name.length <= NAME_BYTES_MAX) return name;
  const hash = createHash('sha256').update(path).digest('hex').slice(0, HASH_CHARACTERS);
  return `${name.slice(0, NAME_BYTES_MAX - HASH_CHARACTERS - 1)}~${hash}`;
}

function escapePath(path: Buffer): string {
  const parts = path
    .toString('latin1')
    .split('/')
    .filter((part) => part !== '');
  if (parts.length === 0) return '-';
  const text = parts.map((part) => part.replace(/[^A-Za-z0-9:_.]/g, escapeByte)).join('-');
  return text.startsWith('.') ? escapeByte('.') + text.slice(1) : text;
}

const escapeByte = (character: string): string =>
  `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** The path a name stands for, or null when it is none of ours or was cut to a hash. */
export function pathOfStateName(name: string): Buffer | null {
  if (name === '-') return Buffer.from('/');
  if (!/^(?:[A-Za-z0-9:_.-]|\\x[0-9a-f]{2})+$/.test(name)) return null;
  const text = name
    .replaceAll('-', '/')
    .replace(/\\x([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(`/${text}`, 'latin1');
}
