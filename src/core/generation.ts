/**
 * Who is right when two nodes meet: `compare(primary, secondary)`, one decision with a named rule.
 * Pure.
 *
 * First form: the primary is the source of a full resync, or the connection is refused. Both nodes
 * compute it from the two Hellos; the primary's word is sent, and a secondary that comes to another
 * one refuses. The rules keep one promise: *no copy that may be newer than the source is
 * overwritten without an operator's word*. The table with its reasons:
 * docs/decisions/0001-first-form-generations.md.
 */
import { NO_ID, type Id, type Identity } from './types.js';

/**
 * An operator's word. `overwrite-peer` is given on the primary (`mount` or `connect
 * --overwrite-peer`), `discard-mine` on the secondary (`serve --discard-mine`). Both are for one
 * resync: the daemon drops them when it has ended.
 */
export type Override = 'overwrite-peer' | 'discard-mine';

/** Why the primary may be the source. */
export type TargetRule =
  | 'first-sync-empty'
  | 'first-sync-over-existing'
  | 'same-generation'
  | 'peer-was-base'
  | 'peer-in-history'
  | 'unfinished-resync';
/** Why the connection is refused; also the codes of the Refuse message. */
export type RefusalRule =
  | 'two-primaries'
  | 'no-primary'
  | 'no-identity'
  | 'same-node'
  | 'other-mirror'
  | 'empty-source'
  | 'source-inconsistent'
  | 'source-outdated'
  | 'source-older'
  | 'split-brain'
  | 'unrelated';

export type Decision =
  | {
      readonly decision: 'full-resync';
      /** A refusal's name here says that the operator overruled it. */
      readonly rule: TargetRule | RefusalRule;
      readonly overruled: readonly { readonly rule: RefusalRule; readonly by: Override }[];
      readonly text: string;
    }
  | {
      readonly decision: 'refuse';
      readonly rule: RefusalRule;
      /** Each of these would do; empty: none does. */
      readonly overrides: readonly Override[];
      /** One or two sentences for the operator, the way out included. */
      readonly text: string;
    };

/** The one decision for these two. `primary` is the node that dialled. */
export function compare(primary: Identity, secondary: Identity): Decision {
  const overruled: { rule: RefusalRule; by: Override }[] = [];
  const relation = relate(primary, secondary);
  for (const rule of objections(primary, secondary, relation)) {
    const { overrides, text } = REFUSALS[rule];
    const by = overrides.find((word) => isGiven(word, primary, secondary));
    if (by === undefined) return { decision: 'refuse', rule, overrides, text };
    overruled.push({ rule, by });
  }
  const text = isRefusal(relation)
    ? `the peer's copy is overwritten as the operator said (${relation})`
    : TARGETS[relation];
  return { decision: 'full-resync', rule: relation, overruled, text };
}

/** Reasons against, in the order in which the operator should hear them. */
function objections(
  primary: Identity,
  secondary: Identity,
  relation: TargetRule | RefusalRule,
): RefusalRule[] {
  // An empty directory without a generation has nothing to lose.
  const isBlank = secondary.empty && secondary.current === NO_ID;
  const holds: readonly (readonly [RefusalRule, boolean])[] = [
    ['two-primaries', primary.role === 'Primary' && secondary.role === 'Primary'],
    ['no-primary', primary.role !== 'Primary'],
    ['no-identity', !hasIdentity(primary) || !isWhole(secondary)],
    ['same-node', primary.node === secondary.node],
    ['other-mirror', relation === 'other-mirror'],
    ['empty-source', primary.empty && !secondary.empty],
    ['source-inconsistent', primary.data === 'Inconsistent' && !isBlank],
    ['source-outdated', primary.data === 'Outdated' && !isBlank],
  ];
  const found = holds.filter(([, applies]) => applies).map(([rule]) => rule);
  return isRefusal(relation) && relation !== 'other-mirror' ? [...found, relation] : found;
}

/** How the two data histories stand to each other: exactly one name. */
export function relate(primary: Identity, secondary: Identity): TargetRule | RefusalRule {
  if (secondary.mirror === NO_ID) {
    return secondary.empty ? 'first-sync-empty' : 'first-sync-over-existing';
  }
  if (secondary.mirror !== primary.mirror) return 'other-mirror';
  if (secondary.current === NO_ID) return relateUnfinished(primary, secondary);

  const isKnownToPrimary =
    primary.current === secondary.current || knows(primary, secondary.current);
  const isKnownToSecondary = knows(secondary, primary.current);
  // A generation is never changed once it is shared. Records that say it was come from a backup.
  if (isKnownToPrimary && secondary.wentAlone) return 'split-brain';
  if (primary.current === secondary.current) return 'same-generation';
  if (isKnownToPrimary && isKnownToSecondary) return 'unrelated';
  if (primary.base === secondary.current) return 'peer-was-base';
  if (isKnownToPrimary) return 'peer-in-history';
  if (isKnownToSecondary) return 'source-older';
  return lineage(primary).some((id) => lineage(secondary).includes(id))
    ? 'split-brain'
    : 'unrelated';
}

/**
 * The target of a resync that did not end: right is the source it was being made from, or what grew
 * from it.
 */
function relateUnfinished(primary: Identity, secondary: Identity): TargetRule | RefusalRule {
  const goal = secondary.base;
  if (goal === primary.current) return 'unfinished-resync';
  const isKnownToPrimary = knows(primary, goal);
  if (!knows(secondary, primary.current))
    return isKnownToPrimary ? 'unfinished-resync' : 'unrelated';
  return isKnownToPrimary ? 'unrelated' : 'source-older';
}

/** Generations a node descends from, without its current one. */
function lineage(node: Identity): Id[] {
  return [node.base, ...node.history].filter((id) => id !== NO_ID && id !== node.current);
}

/** `id` is an ancestor of the node's copy. */
const knows = (node: Identity, id: Id): boolean => lineage(node).includes(id);

/** A source has a mirror and a generation. */
const hasIdentity = (node: Identity): boolean => node.mirror !== NO_ID && node.current !== NO_ID;

/**
 * A target has a mirror, or nothing at all; an unfinished one knows what it was being made into.
 */
function isWhole(node: Identity): boolean {
  if (node.mirror === NO_ID) {
    return node.current === NO_ID && node.base === NO_ID && node.history.length === 0;
  }
  return node.current !== NO_ID || node.base !== NO_ID;
}

function isGiven(word: Override, primary: Identity, secondary: Identity): boolean {
  return word === 'overwrite-peer' ? primary.overwritePeer : secondary.discardMine;
}

const isRefusal = (rule: TargetRule | RefusalRule): rule is RefusalRule => rule in REFUSALS;

const TARGETS: Readonly<Record<TargetRule, string>> = {
  'first-sync-empty': 'first synchronisation: the peer is empty',
  'first-sync-over-existing':
    'first synchronisation: the peer is new to this mirror; files it has already are made equal to this copy',
  'same-generation': 'both nodes have the same generation; everything is compared',
  'peer-was-base': 'this node changed without the peer, the peer did not; everything is compared',
  'peer-in-history': "the peer's copy is an older generation of this one; everything is compared",
  'unfinished-resync': 'the last resync of the peer did not end; everything is compared',
};

interface Refusal {
  readonly overrides: readonly Override[];
  readonly text: string;
}

const EITHER_WORD =
  'serve that one with --discard-mine, or mount (or connect) this one with --overwrite-peer';

const REFUSALS: Readonly<Record<RefusalRule, Refusal>> = {
  'two-primaries': {
    overrides: [],
    text: 'both nodes are Primary; unmount the one whose changes are to go and "twinfs serve" it',
  },
  'no-primary': {
    overrides: [],
    text: 'the node that dialled is not Primary; "twinfs promote" or "twinfs mount" one of the two',
  },
  'no-identity': {
    overrides: [],
    text: "a node's record lacks the ids of its mirror or generation; look at its state directory",
  },
  'same-node': {
    overrides: [],
    text: 'the peer has the same node id: the address is this node itself, or its state directory was copied; give the other node a state directory of its own',
  },
  'other-mirror': {
    overrides: ['discard-mine'],
    text: "the peer's directory belongs to another mirror; check the address, or serve it with --discard-mine so that its files are replaced",
  },
  'empty-source': {
    overrides: ['overwrite-peer'],
    text: 'the primary is empty and the peer is not; is the right filesystem mounted? If the peer is to be emptied, mount (or connect) with --overwrite-peer',
  },
  'source-inconsistent': {
    overrides: ['overwrite-peer'],
    text: "the primary's copy is Inconsistent; promote the peer and serve this one, or, if this copy is the good one, mount (or connect) with --overwrite-peer",
  },
  'source-outdated': {
    overrides: ['overwrite-peer'],
    text: 'the peer may have answered changes that this copy lost; promote the peer and serve this one, or, if this copy is the good one, mount (or connect) with --overwrite-peer',
  },
  'source-older': {
    overrides: ['overwrite-peer', 'discard-mine'],
    text: `the peer has newer data; promote the peer and serve this one, or, if the peer's newer data is to go, ${EITHER_WORD}`,
  },
  'split-brain': {
    overrides: ['overwrite-peer', 'discard-mine'],
    text: `both copies were changed without the other (split brain); choose the one whose changes are lost: if the peer's, ${EITHER_WORD}; else promote the peer and serve this one with --discard-mine`,
  },
  unrelated: {
    overrides: ['overwrite-peer', 'discard-mine'],
    text: `the two copies have no generation in common, so nothing says which is newer; if the peer's is to go, ${EITHER_WORD}; else promote the peer and serve this one with --discard-mine`,
  },
};
