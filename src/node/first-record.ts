/**
 * The record a daemon starts with: loaded, compared with the mark on DIR's root, and taken through
 * the start of its role (core/role.ts). Every doubt is a refusal that names its override.
 */
import type { Config } from '../config/config.js';
import { freshSecondaryRecord, isUnused, newMirrorRecord, type Birth } from '../core/record.js';
import { startPrimary, startSecondary } from '../core/role.js';
import { checkMark, recoveredRecord } from '../core/root-mark.js';
import type { NodeRecord, RootMark } from '../core/types.js';
import { TwinfsError } from '../errors.js';
import { bootId, newId } from '../io/ids.js';
import type { Logger } from '../io/logger.js';
import { RecordStore } from '../io/record-store.js';
import { RootMarks, rootMarkPlace, storeRecord } from '../io/root-mark.js';
import { systemDisk } from '../io/system-disk.js';
import { RecordKeeper } from './record-keeper.js';

/** Rejects with TwinfsError; nothing was changed then but a record that must remember why. */
export async function firstRecord(
  config: Config,
  rootFd: number,
  log: Logger,
): Promise<RecordKeeper> {
  const directory = config.directory.toString();
  const store = new RecordStore(config.stateDir, systemDisk);
  const marks = new RootMarks(rootMarkPlace(rootFd), directory);
  const loaded = await loadRecord(config, store, log);
  const found = await marks.read();
  const known = checked(config, loaded, found, directory);
  const birth = { node: newId(), mode: config.mode, bootId: bootId(), directory };
  const isFree = config.start === 'mount' && known !== null && isUnused(known, found);
  const started = startAs(config, isFree ? null : known, birth);
  const save = (before: NodeRecord | null, next: NodeRecord): Promise<void> =>
    storeRecord(store, marks, before, next);
  await save(started.refusal === null ? null : known, started.record);
  if (started.refusal !== null) throw started.refusal;
  const keeper: RecordKeeper = new RecordKeeper(started.record, (next) =>
    save(keeper.current, next),
  );
  return keeper;
}

/** A damaged record stops the start, unless --force says to go by the directory's mark. */
async function loadRecord(
  config: Config,
  store: RecordStore,
  log: Logger,
): Promise<NodeRecord | null> {
  try {
    return await store.load();
  } catch (error) {
    if (!config.force || !(error instanceof TwinfsError) || error.code !== 'record-torn') {
      throw error;
    }
    log.warn({ err: error }, 'going by the mark on the directory, as --force says');
    return null;
  }
}

function checked(
  config: Config,
  record: NodeRecord | null,
  mark: RootMark | null,
  directory: string,
): NodeRecord | null {
  const check = checkMark(record, mark, directory);
  if (check.problem === null) return record;
  if (!config.force) throw new TwinfsError(check.problem, 'refused', check.text);
  const base =
    record ??
    freshSecondaryRecord({
      node: mark?.node ?? newId(),
      mode: config.mode,
      bootId: bootId(),
      directory,
    });
  const role = config.start === 'mount' ? 'Primary' : 'Secondary';
  return recoveredRecord({ ...base, role }, mark);
}

interface Started {
  readonly record: NodeRecord;
  readonly refusal: TwinfsError | null;
}

function startAs(config: Config, known: NodeRecord | null, birth: Birth): Started {
  if (config.start === 'serve') {
    const record = known ?? freshSecondaryRecord(birth);
    return { record: startSecondary(record, birth.bootId), refusal: null };
  }
  if (known === null) {
    return { record: newMirrorRecord(birth, newId(), newId()), refusal: null };
  }
  if (known.role === 'Secondary') {
    const text =
      'this directory is the secondary\'s copy; "twinfs serve" it, or "twinfs promote" it while it is served';
    return { record: known, refusal: new TwinfsError('is-secondary', 'refused', text) };
  }
  const { record, refusal } = startPrimary(known, birth.bootId, config.overwritePeer);
  if (refusal === null) return { record: { ...record, mode: config.mode }, refusal: null };
  return { record, refusal: new TwinfsError(refusal.code, 'refused', refusal.text) };
}
