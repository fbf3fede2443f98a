/** Records and identities for the core tests. */
import { NO_ID, type Id, type Identity, type NodeRecord } from '../../../src/core/types.js';

/** 'c1' → a full id. */
export const id = (short: string): Id => short.padStart(16, '0');
export const MIRROR = id('aa');

export function record(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    mirror: MIRROR,
    node: id('1'),
    role: 'Primary',
    data: 'UpToDate',
    current: id('c0'),
    base: id('c0'),
    history: [],
    wentAlone: false,
    mode: 'sync',
    clean: false,
    bootId: 'boot-1',
    directory: '/srv/data',
    ...changes,
  };
}

export const secondary = (changes: Partial<NodeRecord> = {}): NodeRecord =>
  record({ node: id('2'), role: 'Secondary', ...changes });

export const fresh = (changes: Partial<NodeRecord> = {}): NodeRecord =>
  secondary({ mirror: NO_ID, current: NO_ID, base: NO_ID, data: 'Inconsistent', ...changes });

export function identity(
  from: NodeRecord,
  more: { empty?: boolean; overwritePeer?: boolean; discardMine?: boolean } = {},
): Identity {
  return { ...from, empty: false, overwritePeer: false, discardMine: false, ...more };
}
