/**
 * Is this the directory the record speaks of? The mark on DIR's root (xattr `trusted.twinfs`) is
 * compared with the record at start: a filesystem that is not mounted, another mirror's directory,
 * a restored snapshot or a state directory from a backup must never be trusted silently. Pure.
 */
import { NO_ID, type NodeRecord, type RootMark } from './types.js';

export type MarkProblem =
  | 'mark-missing'
  | 'record-missing'
  | 'mark-other-mirror'
  | 'mark-other-node'
  | 'mark-other-generation';

export type MarkCheck =
  | { readonly problem: null }
  | {
      readonly problem: MarkProblem;
      /** For the operator, with the way out; each names --force, which takes `recoveredRecord`. */
      readonly text: string;
    };

const FINE: MarkCheck = { problem: null };

/** `directory` is for the messages; `record` or `mark` null: not there. */
export function checkMark(
  record: NodeRecord | null,
  mark: RootMark | null,
  directory: string,
): MarkCheck {
  const problem = findProblem(record, mark);
  return problem === null ? FINE : { problem, text: TEXTS[problem](directory) };
}

function findProblem(record: NodeRecord | null, mark: RootMark | null): MarkProblem | null {
  const hasMirror = record !== null && record.mirror !== NO_ID;
  if (mark === null) return hasMirror ? 'mark-missing' : null;
  if (!hasMirror) return isUnfinishedStart(record, mark) ? null : 'record-missing';
  if (mark.mirror !== record.mirror) return 'mark-other-mirror';
  if (mark.node !== record.node) return 'mark-other-node';
  // An unfinished target is no generation: everything is compared anyhow.
  if (record.current === NO_ID) return null;
  const isOurs = mark.current === record.current || mark.next === record.current;
  return isOurs ? null : 'mark-other-generation';
}

/** A first start, or a first synchronisation, wrote the mark and did not come to the record. */
function isUnfinishedStart(record: NodeRecord | null, mark: RootMark): boolean {
  if (mark.current !== NO_ID) return false;
  return mark.next !== NO_ID || record?.role === 'Secondary';
}

/**
 * What --force makes of it: the ids of the mark, with none of its ancestors known, so that the
 * comparison with the peer refuses whatever it cannot prove. Without a mark the record's own ids
 * stay; where the mark says that the copy is a target whose resync never ended, it is Inconsistent.
 * Without a record, give the one a first start would make. Store the result with `before` null
 * (io/root-mark.ts), which marks anew.
 */
export function recoveredRecord(record: NodeRecord, mark: RootMark | null): NodeRecord {
  if (mark === null) return record;
  if (mark.current !== NO_ID) {
    return {
      ...record,
      mirror: mark.mirror,
      current: mark.current,
      base: mark.current,
      history: [],
      wentAlone: false,
      data: record.role === 'Primary' ? 'UpToDate' : 'Inconsistent',
    };
  }
  const unfinished: NodeRecord = { ...record, data: 'Inconsistent' };
  if (record.role === 'Primary') return unfinished;
  return { ...unfinished, mirror: NO_ID, current: NO_ID, base: NO_ID, history: [] };
}

const TEXTS: Readonly<Record<MarkProblem, (directory: string) => string>> = {
  'mark-missing': (directory) =>
    `${directory} does not carry the mark of its mirror: is its filesystem mounted? If this is the right directory (restored without extended attributes, say), --force marks it anew`,
  'record-missing': (directory) =>
    `${directory} belongs to a mirror, but the state directory knows nothing of it; name the right one with --state, or --force takes the ids from the directory's mark`,
  'mark-other-mirror': (directory) =>
    `${directory} belongs to another mirror than the state directory; name the right pair of directory and --state, or --force goes by the directory's mark`,
  'mark-other-node': (directory) =>
    `${directory} is the other node's copy (a copied or swapped disk?); name the right pair of directory and --state, or --force goes by the directory's mark`,
  'mark-other-generation': (directory) =>
    `${directory} is not in the state that was recorded: a restored snapshot, or a state directory from a backup; --force goes by the directory's mark, and the peer decides who is newer`,
};
