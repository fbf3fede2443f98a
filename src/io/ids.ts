/** New random ids, and the ids of this boot. */
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { NO_ID, type Id } from '../core/types.js';

export function newId(): Id {
  const id = randomBytes(8).toString('hex');
  return id === NO_ID ? newId() : id;
}

/** random(4): changes with every boot of the machine. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** In [0, 1), for jitter. */
export const randomFraction = (): number => randomInt(2 ** 32) / 2 ** 32;
