/** The `-o key=value` options: their defaults, units and bounds, and how they are parsed. Pure. */
import { TwinfsError } from '../errors.js';
import { PEER_TIMEOUT_MS_DEFAULT, PEER_TIMEOUT_MS_MIN } from '../limits.js';
import { QUEUE_BYTES_DEFAULT, QUEUE_BYTES_MIN } from '../limits.js';
import type { Options } from './config.js';

export const DEFAULT_OPTIONS: Options = Object.freeze({
  peerTimeoutMs: PEER_TIMEOUT_MS_DEFAULT,
  onPeerLoss: 'continue',
  queueBytes: QUEUE_BYTES_DEFAULT,
  syncMetadata: false,
  writebackCache: false,
  workers: 8,
});

const PEER_TIMEOUT_MS_MAX = 3_600_000;
const QUEUE_BYTES_MAX = 64 * 1024 ** 3;
const WORKERS_MAX = 64;

type Setter = (value: string | null, key: string) => Partial<Options>;

const SETTERS: Readonly<Record<string, Setter>> = {
  peer_timeout: (value, key) => ({
    peerTimeoutMs: inRange(
      parseDurationMs(value, key),
      PEER_TIMEOUT_MS_MIN,
      PEER_TIMEOUT_MS_MAX,
      key,
      'ms',
    ),
  }),
  on_peer_loss: (value, key) => ({
    onPeerLoss: oneOf(value, ['continue', 'block', 'read-only'], key),
  }),
  queue_bytes: (value, key) => ({
    queueBytes: inRange(parseBytes(value, key), QUEUE_BYTES_MIN, QUEUE_BYTES_MAX, key, ' bytes'),
  }),
  sync_metadata: (value, key) => ({ syncMetadata: parseFlag(value, key) }),
  writeback_cache: (value, key) => ({ writebackCache: parseFlag(value, key) }),
  workers: (value, key) => ({ workers: inRange(parseCount(value, key), 1, WORKERS_MAX, key, '') }),
};

/** For help and messages. */
export const OPTION_KEYS: readonly string[] = Object.keys(SETTERS);

/**
 * `-o a=1,b -o c=2` as yargs gives it: ["a=1,b", "c=2"]. The last word on a key wins. Throws a
 * usage error that names the known keys or the values a key takes.
 */
export function parseOptions(texts: readonly string[]): Options {
  const options: Options = { ...DEFAULT_OPTIONS };
  for (const item of texts.flatMap((text) => text.split(','))) {
    if (item === '') continue;
    const at = item.indexOf('=');
    const key = at < 0 ? item : item.slice(0, at);
    const set = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
    if (set === undefined) {
      throw usage(`unknown option -o ${key}; known are ${OPTION_KEYS.join(', ')}`);
    }
    Object.assign(options, set(at < 0 ? null : item.slice(at + 1), key));
  }
  return Object.freeze(options);
}

const usage = (message: string): TwinfsError => new TwinfsError('bad-option', 'usage', message);

function oneOf<T extends string>(value: string | null, words: readonly T[], key: string): T {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw usage(`-o ${key} must be one of ${words.join(', ')}`);
  return word;
}

function inRange(value: number, min: number, max: number, key: string, unit: string): number {
  if (value >= min && value <= max) return value;
  throw usage(`-o ${key} must be from ${min} to ${max}${unit}`);
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

function parseDurationMs(value: string | null, key: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m)$/.exec(value ?? '');
  const unit = DURATION_UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw usage(`-o ${key} needs a time with its unit: 500ms, 3s, 2m`);
  }
  return Math.round(Number(match[1]) * unit);
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

function parseBytes(value: string | null, key: string): number {
  const match = /^([0-9]{1,15})([KMG]?)(?:i?B)?$/i.exec(value ?? '');
  const unit = BYTE_UNITS[(match?.[2] ?? '-').toUpperCase()];
  if (match === null || unit === undefined) {
    throw usage(`-o ${key} needs a size: 64M, 1G, or a number of bytes`);
  }
  return Number(match[1]) * unit;
}

function parseCount(value: string | null, key: string): number {
  if (!/^[0-9]{1,6}$/.test(value ?? '')) throw usage(`-o ${key} needs a whole number`);
  return Number(value);
}

const YES = ['yes', 'on', 'true', '1'];
const NO = ['no', 'off', 'false', '0'];

function parseFlag(value: string | null, key: string): boolean {
  if (value === null || YES.includes(value)) return true;
  if (NO.includes(value)) return false;
  throw usage(`-o ${key} is a switch: ${key}, ${key}=yes or ${key}=no`);
}
