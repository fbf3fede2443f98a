/**
 * The world of core-generation.test.ts: two nodes that change, break, come back, are promoted and
 * resynced in any order, with a crash possible between any two steps of a resync. Each copy is
 * modelled as the set of changes it holds. Checked: a full resync without an operator's word only
 * ever overwrites a copy whose changes the source has all of.
 */
import assert from 'node:assert/strict';
import { compare } from '../../src/core/generation.js';
import * as records from '../../src/core/record.js';
import { checkPromote, nextData, startPrimary, startSecondary } from '../../src/core/role.js';
import { NO_ID, type Identity, type NodeRecord, type Role } from '../../src/core/types.js';

export const ACTIONS = [
  'mount',
  'serve',
  'stop',
  'kill',
  'change',
  'lone-start',
  'promote',
  'force-promote',
  'connect',
  'begin',
  'copy-half',
  'share',
  'adopt',
  'synced',
  'cut',
] as const;
export type Action = (typeof ACTIONS)[number];
export type Step = readonly [Action, 0 | 1];

interface Node {
  record: NodeRecord | null;
  running: Role | null;
  /**
   * Changes in the copy; a half-synced copy is what its source had, in part: no set says that, so
   * null.
   */
  content: ReadonlySet<number> | null;
  /** While half-synced: all that the resync it stands in would have given it. */
  goal: ReadonlySet<number>;
}

type Phase = 'none' | 'decided' | 'begun' | 'shared' | 'adopted' | 'established';

export class World {
  readonly nodes: [Node, Node] = [blank(), blank()];
  phase: Phase = 'none';
  source: 0 | 1 = 0;
  /** How often each decision was taken, over all copies of this world. */
  readonly decisions: Map<string, number>;
  #ids = 0;
  #changes = 0;

  constructor(decisions: Map<string, number>) {
    this.decisions = decisions;
  }

  get changes(): number {
    return this.#changes;
  }

  /** Records and contents are never changed in place, so a copy is shallow. */
  copy(): World {
    const copy = new World(this.decisions);
    copy.nodes[0] = { ...this.nodes[0] };
    copy.nodes[1] = { ...this.nodes[1] };
    copy.phase = this.phase;
    copy.source = this.source;
    copy.#ids = this.#ids;
    copy.#changes = this.#changes;
    return copy;
  }

  /** Equal for worlds that differ only in the names of ids and changes. */
  key(): string {
    const names = new Map<string, string>();
    const name = (id: string): string => {
      if (id === NO_ID) return '-';
      if (!names.has(id)) names.set(id, `${names.size}`);
      return names.get(id) ?? '';
    };
    const changes = (set: ReadonlySet<number> | null): string =>
      set === null ? '?' : [...set].map((one) => name(`change ${one}`)).join('.');
    const nodes = this.nodes.map(({ record, running, content, goal }) => {
      const facts = [running, changes(content), content === null ? changes(goal) : ''];
      if (record === null) return facts.join();
      const { mirror, role, data, current, base, history, wentAlone, clean } = record;
      const ids = [mirror, current, base, ...history].map(name);
      return [...facts, role, data, wentAlone, clean, ...ids].join();
    });
    return [this.phase, this.source, ...nodes].join('|');
  }

  newId(): string {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(16, '0');
  }

  step([action, at]: Step): void {
    const node = this.nodes[at];
    const birth = {
      node: `${at + 1}`.padStart(16, 'f'),
      mode: 'sync',
      bootId: 'b',
      directory: '/d',
    } as const;
    switch (action) {
      case 'mount': {
        if (node.running !== null) return;
        // An empty node that is mounted where a mirror exists would be another mirror: kept out
        // here.
        if (node.record === null && this.nodes[(1 - at) as 0 | 1].record !== null) return;
        node.record ??= records.newMirrorRecord(birth, this.newId(), this.newId());
        const start = startPrimary(node.record, 'b', false);
        node.record = start.record;
        if (start.refusal === null) node.running = 'Primary';
        return;
      }
      case 'serve':
        if (node.running !== null) return;
        node.record = startSecondary(node.record ?? records.freshSecondaryRecord(birth), 'b');
        node.running = 'Secondary';
        return;
      case 'stop':
      case 'kill':
        if (node.running === null) return;
        this.cut();
        if (node.record !== null) node.record = { ...node.record, clean: action === 'stop' };
        node.running = null;
        return;
      case 'change':
        return this.change(at);
      case 'lone-start':
        // Going alone is recorded, and the machine dies before the change is made.
        if (node.running !== 'Primary' || node.record === null || this.isMirrored(at)) return;
        node.record = records.goAlone(node.record, this.newId());
        return;
      case 'promote':
      case 'force-promote':
        return this.promote(at, action === 'force-promote');
      case 'connect':
        return this.connect(at);
      case 'cut':
        return this.cut();
      default:
        return this.sync(action);
    }
  }

  isMirrored(at: 0 | 1): boolean {
    const isStreaming =
      this.phase === 'shared' || this.phase === 'adopted' || this.phase === 'established';
    return isStreaming && this.source === at;
  }

  change(at: 0 | 1): void {
    const node = this.nodes[at];
    if (node.running !== 'Primary' || node.record === null) return;
    const number = (this.#changes += 1);
    assert.ok(node.content !== null, 'a primary has a content');
    if (this.isMirrored(at)) {
      // In the stream: the peer applies it before it is answered (sync).
      const peer = this.nodes[(1 - at) as 0 | 1];
      if (peer.content !== null) peer.content = new Set([...peer.content, number]);
      peer.goal = new Set([...peer.goal, number]);
    } else {
      node.record = records.goAlone(node.record, this.newId());
    }
    node.content = new Set([...node.content, number]);
  }

  promote(at: 0 | 1, force: boolean): void {
    const node = this.nodes[at];
    if (node.running !== 'Secondary' || node.record === null) return;
    // A fresh node has no mirror to be promoted in.
    if (node.record.mirror === NO_ID) return;
    const primaryAnswers = this.phase !== 'none';
    const { role, data } = node.record;
    if (checkPromote({ role, data, primaryAnswers, silentMs: 0, force }).refusal !== null) return;
    this.cut();
    const { data: now } = node.record;
    node.record = records.promoteRecord({ ...node.record, data: now }, this.newId(), null);
    node.running = 'Primary';
    // What is in a half-synced copy nobody knows: a change of its own stands for it.
    node.content ??= new Set([(this.#changes += 1)]);
  }

  connect(at: 0 | 1): void {
    const peerAt = (1 - at) as 0 | 1;
    const [primary, secondary] = [this.nodes[at], this.nodes[peerAt]];
    if (this.phase !== 'none' || primary.running !== 'Primary' || secondary.running === null)
      return;
    if (primary.record === null || secondary.record === null) return;
    const decision = compare(hello(primary.record), hello(secondary.record));
    const name = `${decision.decision} ${decision.rule}`;
    this.decisions.set(name, (this.decisions.get(name) ?? 0) + 1);
    if (decision.decision === 'refuse') return;
    const mustHave = secondary.content ?? secondary.goal;
    const missing = [...mustHave].filter((one) => !primary.content?.has(one));
    assert.deepEqual(missing, [], `${name} overwrites changes the source lacks`);
    this.phase = 'decided';
    this.source = at;
    if (primary.record.current !== secondary.record.current) {
      const data = nextData(secondary.record.data, 'primary-moved-on');
      secondary.record = { ...secondary.record, data };
    }
  }

  sync(action: Action): void {
    const source = this.nodes[this.source];
    const target = this.nodes[(1 - this.source) as 0 | 1];
    if (this.phase === 'none' || source.record === null || target.record === null) return;
    if (action === 'begin' && this.phase === 'decided') {
      target.record = records.beginTarget(target.record, source.record);
      target.goal = source.content ?? new Set();
      this.phase = 'begun';
    } else if (action === 'copy-half' && this.phase === 'begun') {
      target.content = null;
    } else if (action === 'share' && this.phase === 'begun') {
      // The last pass is done and the stream is on.
      source.record = records.shareGeneration(source.record);
      target.content = source.content;
      this.phase = 'shared';
    } else if (action === 'adopt' && this.phase === 'shared') {
      target.record = records.adopt(target.record, source.record);
      this.phase = 'adopted';
    } else if (action === 'synced' && this.phase === 'adopted') {
      source.record = records.syncedRecord(source.record);
      this.phase = 'established';
    }
  }

  cut(): void {
    if (this.phase === 'none') return;
    this.phase = 'none';
    const target = this.nodes[(1 - this.source) as 0 | 1];
    if (target.record === null) return;
    target.record = { ...target.record, data: nextData(target.record.data, 'link-lost') };
  }
}

const blank = (): Node => ({ record: null, running: null, content: new Set(), goal: new Set() });
const hello = (record: NodeRecord): Identity => ({
  ...record,
  empty: false,
  overwritePeer: false,
  discardMine: false,
});
