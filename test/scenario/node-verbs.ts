/** Scenario verbs about nodes: their records, who is right, promotion, resync. */
import { assert } from '../../src/assert.js';
import { compare } from '../../src/core/generation.js';
import * as records from '../../src/core/record.js';
import {
  checkPromote,
  nextData,
  startPrimary,
  startSecondary,
  type RoleRefusal,
} from '../../src/core/role.js';
import {
  MODES,
  NO_ID,
  type Id,
  type Identity,
  type Mode,
  type NodeRecord,
} from '../../src/core/types.js';
import type { Command } from './script.js';

interface Node {
  record: NodeRecord | null;
  boot: number;
  empty: boolean;
  words: { overwritePeer: boolean; discardMine: boolean };
}

export class NodeWorld {
  readonly #nodes = new Map<string, Node>();
  readonly #backups = new Map<string, NodeRecord>();
  #ids = 0;

  /** The verb's output, or null when it is not one of these. */
  execute(command: Command): string[] | null {
    const [name = '', other = ''] = command.words;
    switch (command.verb) {
      case 'mount':
        return this.#mount(name, command);
      case 'serve':
        return this.#serve(name, command);
      case 'stop':
        return this.#change(name, (record) => ({ ...record, clean: true }));
      case 'kill':
        return this.#change(name, (record) => ({ ...record, clean: false }));
      case 'reboot':
        this.#node(name).boot += 1;
        return [];
      case 'write':
        return this.#change(name, (record) => records.goAlone(record, this.#newId()));
      case 'meet':
        return this.#meet(name, other);
      case 'begin':
        return this.#change(name, (record) => records.beginTarget(record, this.#record(other)));
      case 'share':
        return this.#change(name, records.shareGeneration);
      case 'adopt':
        return this.#change(name, (record) => records.adopt(record, this.#record(other)));
      case 'synced':
        return this.#change(name, records.syncedRecord);
      case 'resync':
        return this.#resync(name, other);
      case 'lost':
        return this.#change(name, (record) => ({
          ...record,
          data: nextData(record.data, 'link-lost'),
        }));
      case 'promote':
        return this.#promote(name, command);
      case 'demote':
        return this.#change(name, (record) => startSecondary(record, record.bootId));
      case 'backup':
        this.#backups.set(name, this.#record(name));
        return [];
      case 'restore':
        return this.#change(name, () => this.#backups.get(name) ?? this.#record(name));
      case 'empty':
        this.#node(name).empty = true;
        return [];
      case 'fill':
        this.#node(name).empty = false;
        return [];
      case 'forget-state':
        this.#node(name).record = null;
        return [];
      default:
        return null;
    }
  }

  #node(name: string): Node {
    assert(/^[a-z]$/.test(name), `a node is one letter, not "${name}"`);
    let node = this.#nodes.get(name);
    if (node === undefined) {
      const words = { overwritePeer: false, discardMine: false };
      node = { record: null, boot: 1, empty: false, words };
      this.#nodes.set(name, node);
    }
    return node;
  }

  #record(name: string): NodeRecord {
    const { record } = this.#node(name);
    assert(record !== null, `node ${name} has a record`);
    return record;
  }

  #change(name: string, step: (record: NodeRecord) => NodeRecord): string[] {
    const next = step(this.#record(name));
    this.#node(name).record = next;
    return [describe(name, next)];
  }

  #birth(name: string, command: Command): records.Birth {
    const node = `${name.charCodeAt(0)}`.padStart(16, 'f');
    const bootId = `boot-${this.#node(name).boot}`;
    return { node, bootId, mode: modeOf(command) ?? 'sync', directory: '/srv/data' };
  }

  #words(name: string, command: Command): void {
    this.#node(name).words = {
      overwritePeer: command.words.includes('--overwrite-peer'),
      discardMine: command.words.includes('--discard-mine'),
    };
  }

  #mount(name: string, command: Command): string[] {
    const node = this.#node(name);
    this.#words(name, command);
    const birth = this.#birth(name, command);
    node.record ??= records.newMirrorRecord(birth, this.#newId(), this.#newId());
    const { record, refusal } = startPrimary(node.record, birth.bootId, node.words.overwritePeer);
    node.record = record;
    return [...refused(refusal), describe(name, record)];
  }

  #serve(name: string, command: Command): string[] {
    const node = this.#node(name);
    this.#words(name, command);
    const birth = this.#birth(name, command);
    const record = node.record ?? records.freshSecondaryRecord(birth);
    node.record = startSecondary(record, birth.bootId);
    return [describe(name, node.record)];
  }

  #meet(primary: string, secondary: string): string[] {
    const decision = compare(this.#identity(primary), this.#identity(secondary));
    const lines = [`${decision.decision}: ${decision.rule}`, `  ${decision.text}`];
    if (decision.decision === 'refuse') return lines;
    return [
      ...lines,
      ...decision.overruled.map(({ rule, by }) => `  ${rule} overruled by --${by}`),
    ];
  }

  #identity(name: string): Identity {
    const { empty, words } = this.#node(name);
    return { ...this.#record(name), empty, ...words };
  }

  /** The whole of it, as both daemons store it, from the decision on. */
  #resync(source: string, target: string): string[] {
    const decision = compare(this.#identity(source), this.#identity(target));
    if (decision.decision === 'refuse') return [`refuse: ${decision.rule}`];
    this.#change(target, (record) => records.beginTarget(record, this.#record(source)));
    this.#change(source, records.shareGeneration);
    const adopted = this.#change(target, (record) => records.adopt(record, this.#record(source)));
    const synced = this.#change(source, records.syncedRecord);
    // The operator's words are for one resync.
    for (const name of [source, target]) {
      this.#node(name).words = { overwritePeer: false, discardMine: false };
    }
    this.#node(target).empty = this.#node(source).empty;
    return [`resynced: ${decision.rule}`, ...synced, ...adopted];
  }

  #promote(name: string, command: Command): string[] {
    const { role, data } = this.#record(name);
    const silent = command.options.get('silent');
    const { refusal, heard } = checkPromote({
      role,
      data,
      primaryAnswers: command.words.includes('answers'),
      silentMs: silent === undefined ? null : Number(silent),
      force: command.words.includes('--force'),
    });
    if (refusal !== null) return refused(refusal);
    const mode = modeOf(command);
    const lines = this.#change(name, (record) =>
      records.promoteRecord(record, this.#newId(), mode),
    );
    return [`promoted; ${heard}`, ...lines];
  }

  #newId(): Id {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(16, '0');
  }
}

function modeOf(command: Command): Mode | null {
  const word = command.options.get('mode');
  return MODES.find((mode) => mode === word) ?? null;
}

const refused = (refusal: RoleRefusal | null): string[] =>
  refusal === null ? [] : [`refused: ${refusal.code}`, `  ${refusal.text}`];

const short = (id: Id): string => (id === NO_ID ? 'none' : id.replace(/^0+/, 'g'));

function describe(name: string, record: NodeRecord): string {
  const history =
    record.history.length === 0 ? '' : ` history ${record.history.map(short).join(',')}`;
  const alone = record.wentAlone ? ' alone' : '';
  const ids = `current ${short(record.current)} base ${short(record.base)}${history}`;
  return `${name}: ${record.role} ${record.data} ${ids}${alone}`;
}
