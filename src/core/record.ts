/**
 * The transitions of a node's durable record: each function takes the record and gives the next
 * one, to be stored before what its comment says. New ids come in as arguments. Pure.
 *
 * The invariant they keep: *an id that the peer may have never gets a change of its own.* `base` is
 * the last generation both nodes may have, so `base === current` means shared, and the first change
 * without the peer makes a new `current` (goAlone). The rules that rest on it are in generation.ts,
 * the reasons in docs/decisions/0001-first-form-generations.md.
 */
import { assert } from '../assert.js';
import { GENERATION_HISTORY_MAX } from '../limits.js';
import { NO_ID, type Id, type Mode, type NodeRecord, type RootMark } from './types.js';

/** What both kinds of first record need. */
export interface Birth {
  readonly node: Id;
  readonly mode: Mode;
  readonly bootId: string;
  readonly directory: string;
}

/** A new mirror: this directory becomes its first copy. Nobody else has it, hence `wentAlone`. */
export function newMirrorRecord(birth: Birth, mirror: Id, current: Id): NodeRecord {
  assert(mirror !== NO_ID && current !== NO_ID, 'a new mirror has ids');
  return {
    mirror,
    node: birth.node,
    role: 'Primary',
    data: 'UpToDate',
    current,
    base: NO_ID,
    history: [],
    wentAlone: true,
    mode: birth.mode,
    clean: false,
    bootId: birth.bootId,
    directory: birth.directory,
  };
}

/** A directory served for the first time: no mirror, no generation, whatever it holds. */
export function freshSecondaryRecord(birth: Birth): NodeRecord {
  return {
    mirror: NO_ID,
    node: birth.node,
    role: 'Secondary',
    data: 'Inconsistent',
    current: NO_ID,
    base: NO_ID,
    history: [],
    wentAlone: false,
    mode: birth.mode,
    clean: false,
    bootId: birth.bootId,
    directory: birth.directory,
  };
}

/**
 * A secondary that never met a primary: nothing was promised of its directory, which may as well
 * become the first copy of a new mirror. One with a mark was the target of a resync.
 */
export const isUnused = (record: NodeRecord, mark: RootMark | null): boolean =>
  record.role === 'Secondary' && record.mirror === NO_ID && mark === null;

/**
 * Primary: the first change that the peer does not get (after losing it, while a resync still runs,
 * or after a promotion), or changes it may not have got when it was lost. Store before the first
 * such change is answered. The same object when the record says so already; `newId` is not used
 * then.
 */
export function goAlone(record: NodeRecord, newId: Id): NodeRecord {
  assert(record.role === 'Primary', 'only a primary goes alone');
  if (record.wentAlone) return record;
  assert(newId !== NO_ID && newId !== record.current, 'a new generation has a new id');
  return {
    ...record,
    current: newId,
    base: record.current,
    history: record.base === record.current ? record.history : pushed(record.history, record.base),
    wentAlone: true,
  };
}

/**
 * Primary, source of a resync: everything is sent and the stream is on; the peer is about to be
 * told this generation. Store before SyncEnd is sent, and send its ids: should the link break from
 * here on, the peer may have `current`, and the next change makes a new one.
 */
export function shareGeneration(record: NodeRecord): NodeRecord {
  if (record.base === record.current && !record.wentAlone) return record;
  const history =
    record.base === record.current ? record.history : pushed(record.history, record.base);
  return { ...record, base: record.current, history, wentAlone: false };
}

/** Primary: the peer confirmed that it has stored the generation (SyncStored). */
export function syncedRecord(record: NodeRecord): NodeRecord {
  return record.data === 'UpToDate' ? record : { ...record, data: 'UpToDate' };
}

/**
 * Secondary, target of a resync from a source with these ids (its Hello): from here on the copy is
 * no generation, but on its way to the source's. Store before the copy is changed in any way.
 */
export function beginTarget(
  record: NodeRecord,
  source: { readonly mirror: Id; readonly current: Id },
): NodeRecord {
  assert(record.role === 'Secondary', 'only a secondary is a target');
  const isOther = record.mirror !== NO_ID && record.mirror !== source.mirror;
  const known = isOther ? [] : pushed(pushed(record.history, record.base), record.current);
  return {
    ...record,
    mirror: source.mirror,
    data: 'Inconsistent',
    current: NO_ID,
    base: source.current,
    history: known.filter((id) => id !== source.current),
    wentAlone: false,
  };
}

/**
 * Secondary: the resync is complete and durable (SyncEnd). It takes the source's whole set of ids.
 * Store before SyncStored is sent.
 */
export function adopt(
  record: NodeRecord,
  end: {
    readonly current: Id;
    readonly base: Id;
    readonly history: readonly Id[];
    readonly mode: Mode;
  },
): NodeRecord {
  assert(record.role === 'Secondary', 'only a secondary adopts');
  assert(record.mirror !== NO_ID && end.current !== NO_ID, 'a target has begun with its source');
  return {
    ...record,
    data: 'UpToDate',
    current: end.current,
    base: end.base,
    history: end.history.slice(0, GENERATION_HISTORY_MAX),
    wentAlone: false,
    mode: end.mode,
  };
}

/**
 * Secondary → Primary. An intact copy keeps its generation until its first change (goAlone), so
 * that a node that is promoted and changes nothing makes no split brain. A copy that may lack
 * changes of its generation (promoted by --force) is a new generation at once; an Inconsistent one
 * descends from nothing, so that no other copy is overwritten by it without another word of the
 * operator. Store before the mount answers.
 */
export function promoteRecord(record: NodeRecord, newId: Id, mode: Mode | null): NodeRecord {
  assert(record.role === 'Secondary', 'only a secondary is promoted');
  assert(newId !== NO_ID && newId !== record.current, 'a new generation has a new id');
  const promoted: NodeRecord = {
    ...record,
    role: 'Primary',
    data: 'UpToDate',
    mode: mode ?? record.mode,
  };
  if (record.data === 'Inconsistent' || record.current === NO_ID) {
    return { ...promoted, current: newId, base: NO_ID, history: [], wentAlone: true };
  }
  return record.data === 'Outdated' ? goAlone(promoted, newId) : promoted;
}

/**
 * `history` with `id` in front; unknown and repeated ids are left out, the oldest falls off the
 * end.
 */
function pushed(history: readonly Id[], id: Id): readonly Id[] {
  if (id === NO_ID || history.includes(id)) return history;
  return [id, ...history].slice(0, GENERATION_HISTORY_MAX);
}
