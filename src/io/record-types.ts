/**
 * The durable record of one node, `<state>/node.json`, and the mark on DIR's root (declared in
 * core).
 */
export type { NodeRecord, RootMark } from '../core/types.js';
