/**
 * `<state>/node.json`: the node's durable record. Written temp → fsync → rename → fsync of the
 * directory, so that it is always either the old or the new one; a checksum finds a torn or edited
 * file, which is never guessed around. Every disk call has a label (ports.ts), so that a test can
 * make exactly that one fail.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errorText, TwinfsError } from '../errors.js';
import { GENERATION_HISTORY_MAX } from '../limits.js';
import type { LabelledDisk } from './ports.js';
import type { NodeRecord } from './record-types.js';

const FORMAT = 1;
const ID = /^[0-9a-f]{16}$/;

/** The labels, in the order of the calls. */
export const RECORD_LABELS = {
  read: 'record.read',
  create: 'record.create',
  write: 'record.write',
  sync: 'record.sync',
  close: 'record.close',
  rename: 'record.rename',
  syncDirectory: 'record.sync-directory',
} as const;

export class RecordStore {
  readonly path: string;
  readonly #stateDir: string;
  readonly #disk: LabelledDisk;
  /**
   * The store that runs, if any: stores take place one after the other, in the order of the calls.
   */
  #running: Promise<void> = Promise.resolve();

  constructor(stateDir: string, disk: LabelledDisk) {
    this.#stateDir = stateDir;
    this.#disk = disk;
    this.path = join(stateDir, 'node.json');
  }

  /**
   * The record, or null where there is none yet. TwinfsError `record-torn`, `record-format`,
   * `record-unreadable`.
   */
  async load(): Promise<NodeRecord | null> {
    let bytes: Buffer | null;
    try {
      bytes = await this.#disk.read(RECORD_LABELS.read, this.path);
    } catch (cause) {
      const text = `cannot read ${this.path}: ${errorText(cause)}; nothing was changed`;
      throw new TwinfsError('record-unreadable', 'badState', text, cause);
    }
    return bytes === null ? null : decodeRecord(bytes, this.path);
  }

  /**
   * Durable when it resolves. Rejects with TwinfsError `record-write`: the file is the old or the
   * new record then, and nothing that depends on the new one may happen.
   */
  save(record: NodeRecord): Promise<void> {
    const saved = this.#running.then(() => this.#write(record));
    this.#running = saved.catch(() => undefined);
    return saved;
  }

  async #write(record: NodeRecord): Promise<void> {
    const temporary = `${this.path}.new`;
    try {
      const file = await this.#disk.create(RECORD_LABELS.create, temporary);
      try {
        await file.write(RECORD_LABELS.write, encodeRecord(record));
        await file.sync(RECORD_LABELS.sync);
      } finally {
        await file.close(RECORD_LABELS.close);
      }
      await this.#disk.rename(RECORD_LABELS.rename, temporary, this.path);
      await this.#disk.syncDirectory(RECORD_LABELS.syncDirectory, this.#stateDir);
    } catch (cause) {
      const text = `cannot write ${this.path}: ${errorText(cause)}; make the state directory writable (is its disk full?) and start again`;
      throw new TwinfsError('record-write', 'badState', text, cause);
    }
  }
}

/** JSON for people, with the checksum of its record on a line of its own. */
export function encodeRecord(record: NodeRecord): Buffer {
  const body = { format: FORMAT, checksum: checksumOf(record), record };
  return Buffer.from(`${JSON.stringify(body, null, 2)}\n`);
}

/** Throws TwinfsError; `path` is for its message. */
export function decodeRecord(bytes: Buffer, path: string): NodeRecord {
  const torn = (what: string): TwinfsError =>
    new TwinfsError(
      'record-torn',
      'badState',
      `${path} is damaged (${what}): it was torn by a crash of the disk or edited. Put a good copy back; without one, move it away and start with --force, which takes the ids from the mark on the directory`,
    );
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw torn('not JSON');
  }
  if (!isObject(body)) throw torn('not an object');
  if (body['format'] !== FORMAT) {
    if (!Number.isInteger(body['format'])) throw torn('no format number');
    const text = `${path} has format ${String(body['format'])}, this version knows ${FORMAT}; use the version of twinfs that wrote it`;
    throw new TwinfsError('record-format', 'badState', text);
  }
  const record = body['record'];
  if (!isObject(record) || checksumOf(record) !== body['checksum']) throw torn('checksum');
  const wrong = FIELDS.find(([name, isValid]) => !isValid(record[name]));
  if (wrong !== undefined) throw torn(`field ${wrong[0]}`);
  return record as unknown as NodeRecord;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): boolean => typeof value === 'string' && ID.test(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isOneOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'string' && words.includes(value);

const FIELDS: readonly (readonly [keyof NodeRecord, (value: unknown) => boolean])[] = [
  ['mirror', isId],
  ['node', isId],
  ['role', isOneOf('Primary', 'Secondary')],
  ['data', isOneOf('UpToDate', 'Consistent', 'Outdated', 'Inconsistent')],
  ['current', isId],
  ['base', isId],
  [
    'history',
    (value) => Array.isArray(value) && value.length <= GENERATION_HISTORY_MAX && value.every(isId),
  ],
  ['wentAlone', isBoolean],
  ['mode', isOneOf('sync', 'semi-sync', 'async')],
  ['clean', isBoolean],
  ['bootId', isText],
  ['directory', isText],
];

/** JSON keeps the order of keys, so the text of a parsed record is the text that was written. */
const checksumOf = (record: object): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(record)).digest('hex')}`;
