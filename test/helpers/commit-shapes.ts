/**
 * What the commits of commit-log.ts look like on disk. Every byte follows from the commit's number,
 * so that a copy shows which commit it holds and whether it holds all of it.
 */
import { assert } from '../../src/assert.js';

/**
 * `append`: a record at the end, fdatasync. `write`: the same without fdatasync (what `sync` and
 * `semi-sync` promise for write(2) itself). `rename`: a temporary file, fsync, rename, fsync of the
 * directory. `pages`: a page in place, fdatasync.
 */
export type Pattern = 'append' | 'write' | 'rename' | 'pages';
const PATTERNS: readonly string[] = ['append', 'write', 'rename', 'pages'];

export const isPattern = (text: string | undefined): text is Pattern =>
  text !== undefined && PATTERNS.includes(text);

export const RECORD_BYTES = 64;
export const PAGE_BYTES = 4096;
export const PAGES = 256;
export const NAMES = 64;

export const baseName = (pattern: Pattern, thread: number): string => `${pattern}-${thread}`;
export const slotName = (slot: number): string => `commit-${slot}`;

/** Record `number` (from 1) of an appended file: its place is (number - 1) * RECORD_BYTES. */
export const record = (number: number): Buffer =>
  Buffer.from(`${String(number).padStart(RECORD_BYTES - 1, '.')}\n`, 'latin1');

/** Number of the last record such that it and all before it are whole and in place. */
export function lastRecord(file: Buffer): number {
  let number = 0;
  while (
    file.subarray(number * RECORD_BYTES, (number + 1) * RECORD_BYTES).equals(record(number + 1))
  ) {
    number += 1;
  }
  return number;
}

/** A whole file of 200 to 12,199 bytes. */
export function whole(number: number): Buffer {
  const head = Buffer.from(`commit ${number}\n`, 'latin1');
  return Buffer.concat([head, Buffer.alloc(200 + ((number * 977) % 12_000), head)]);
}

/** The number of the commit that this file is, or why it is none. */
export function readWhole(file: Buffer): number | string {
  const number = Number(/^commit (\d+)\n/.exec(file.toString('latin1', 0, 40))?.[1] ?? NaN);
  if (Number.isNaN(number)) return `no commit (${file.length} bytes)`;
  return file.equals(whole(number)) ? number : `commit ${number} is torn (${file.length} bytes)`;
}

/** A page that holds its commit's number all over. */
export function page(number: number): Buffer {
  assert(number >= 0, 'page numbers are not negative');
  return Buffer.alloc(PAGE_BYTES, record(number));
}

export function readPage(bytes: Buffer): number | string {
  const number = Number(bytes.toString('latin1', 0, RECORD_BYTES - 1).replace(/^\.+/, ''));
  if (Number.isNaN(number)) return 'no commit';
  return bytes.equals(page(number)) ? number : `the page of commit ${number} is torn`;
}
