/**
 * Rules of roles and data states: what a start, a promotion, the loss of the link and a resync make
 * of a node, and what operators see of it. Pure.
 */
import type { DataState, NodeRecord, ReplicationState, Role } from './types.js';

/** A refusal for the data's sake; `text` says what happened and names the override. */
export interface RoleRefusal {
  readonly code: string;
  readonly text: string;
}

/** What happens to the copy of a Secondary. */
export type DataEvent =
  | 'link-lost'
  /** The copy is about to be changed by a resync. */
  | 'sync-begins'
  /** Complete, durable and recorded. */
  | 'sync-ends'
  /** The primary has a generation that this copy has not. */
  | 'primary-moved-on'
  /** An fsync of this node's own disk failed (either role). */
  | 'disk-failed';

/** A Secondary without a live link cannot know that it is up to date: it is Consistent. */
export function nextData(data: DataState, event: DataEvent): DataState {
  switch (event) {
    case 'link-lost':
      return data === 'UpToDate' ? 'Consistent' : data;
    case 'primary-moved-on':
      return data === 'Inconsistent' ? data : 'Outdated';
    case 'sync-begins':
    case 'disk-failed':
      return 'Inconsistent';
    case 'sync-ends':
      return 'UpToDate';
  }
}

/**
 * The record a secondary starts with; store it before it listens (`clean` is false from here on).
 *
 * After an unclean stop the copy may lack what was received and answered but not applied
 * (semi-sync, async), or, after a power cut, what was applied and not on disk: Inconsistent until
 * it has resynced. In `sync` everything answered was on its disk, so it is what a local disk is
 * after a power cut: Consistent. A former primary had nothing queued: unless the machine itself
 * went down, its copy is as it left it.
 */
export function startSecondary(record: NodeRecord, bootId: string): NodeRecord {
  const wasPrimary = record.role === 'Primary';
  const lostNothing =
    record.clean || record.mode === 'sync' || (wasPrimary && record.bootId === bootId);
  const data = lostNothing ? nextData(record.data, 'link-lost') : 'Inconsistent';
  return { ...record, role: 'Secondary', data, clean: false, bootId };
}

export interface PrimaryStart {
  /** Store it, whether refused or not; a refusal must be remembered. */
  readonly record: NodeRecord;
  readonly refusal: RoleRefusal | null;
}

/**
 * The record a primary mounts with, or why it must not. `ownCopyIsGood` is the operator's
 * --overwrite-peer.
 *
 * A machine that went down under a semi-sync primary lost its page cache, and the peer has
 * everything that was answered: mounting here would take answered changes back. In `sync`
 * everything answered is on this disk too, in `async` the peer is behind anyway, and a primary that
 * was alone is the only one who has its changes.
 */
export function startPrimary(
  record: NodeRecord,
  bootId: string,
  ownCopyIsGood: boolean,
): PrimaryStart {
  if (record.role === 'Secondary') return { record, refusal: NOT_PRIMARY };
  const machineWentDown = !record.clean && record.bootId !== bootId;
  const peerMayHaveMore = record.mode === 'semi-sync' && !record.wentAlone;
  const data =
    machineWentDown && peerMayHaveMore ? nextData(record.data, 'primary-moved-on') : record.data;
  const started: NodeRecord = { ...record, role: 'Primary', data, clean: false, bootId };
  if (ownCopyIsGood || (data !== 'Outdated' && data !== 'Inconsistent')) {
    return { record: { ...started, data: 'UpToDate' }, refusal: null };
  }
  // Not started: `clean` stays as it was found, so that the next start sees the same.
  const kept: NodeRecord = { ...record, data };
  return { record: kept, refusal: PRIMARY_REFUSALS[data] };
}

const NOT_PRIMARY: RoleRefusal = {
  code: 'not-primary',
  text: 'this directory is the Secondary of its mirror; start it with "twinfs serve", and "twinfs promote" makes it the Primary when its data allows',
};
const OWN_COPY = 'or, if this copy is the good one, mount it with --overwrite-peer';
const PRIMARY_REFUSALS: Readonly<Record<'Outdated' | 'Inconsistent', RoleRefusal>> = {
  Outdated: {
    code: 'primary-outdated',
    text: `this machine went down while its peer lived on, and the peer may have answered changes that were lost here; "twinfs promote" the peer and serve this directory, ${OWN_COPY}`,
  },
  Inconsistent: {
    code: 'primary-inconsistent',
    text: `this copy cannot be trusted (a disk error, or a resync that did not end); "twinfs promote" the peer and serve this directory, ${OWN_COPY}`,
  },
};

/** What a secondary knows when it is asked to become Primary. */
export interface PromoteState {
  readonly role: Role;
  readonly data: DataState;
  /** The primary is connected and answers. */
  readonly primaryAnswers: boolean;
  /** Milliseconds since anything was heard from it; null: never since this daemon started. */
  readonly silentMs: number | null;
  readonly force: boolean;
}

export interface PromoteCheck {
  /** Not null: do nothing. */
  readonly refusal: RoleRefusal | null;
  /** "the primary was last heard 12 s ago": for the answer and the log, either way. */
  readonly heard: string;
}

/** May this node become Primary? --force overrides everything but already being one. */
export function checkPromote(state: PromoteState): PromoteCheck {
  const heard =
    state.silentMs === null
      ? 'nothing has been heard from the primary since this daemon started'
      : `the primary was last heard ${seconds(state.silentMs)} ago`;
  const refuse = (code: string, text: string): PromoteCheck => ({
    refusal: { code, text: `${text} (${heard})` },
    heard,
  });
  if (state.role === 'Primary') return refuse('already-primary', 'this node is Primary already');
  if (state.force) return { refusal: null, heard };
  if (state.primaryAnswers) {
    return refuse(
      'primary-answers',
      'the primary is connected and answers: unmount it there first; with --force there would be two primaries, and one would lose its changes',
    );
  }
  if (state.data === 'Inconsistent') {
    return refuse(
      'inconsistent',
      'this copy is Inconsistent (a resync or an unclean stop left it half-way); --force takes it as it is',
    );
  }
  if (state.data === 'Outdated') {
    return refuse(
      'outdated',
      'this copy is Outdated: the primary has answered changes that are not here; --force gives them up',
    );
  }
  return { refusal: null, heard };
}

const seconds = (ms: number): string =>
  `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;

/**
 * The role fence: must the engine refuse changes with EROFS? A node that is not Primary always; a
 * Primary without its peer under `on_peer_loss: read-only`.
 */
export function isReadOnly(
  role: Role,
  onPeerLoss: 'continue' | 'block' | 'read-only',
  isPeerLost: boolean,
): boolean {
  return role !== 'Primary' || (onPeerLoss === 'read-only' && isPeerLost);
}

/** SafeKit's word for the state of the service. */
export function serviceWord(
  role: Role,
  replication: ReplicationState,
): 'ALONE' | 'PRIM' | 'SECOND' | 'WAIT' {
  if (role === 'Primary') return replication === 'Off' ? 'ALONE' : 'PRIM';
  return replication === 'Off' ? 'WAIT' : 'SECOND';
}
