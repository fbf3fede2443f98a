/** The part of Status that the role in force knows; node.ts adds what every node has. */
import type { Status } from './messages.js';

export type RoleStatus = Pick<
  Status,
  | 'engine'
  | 'mountpoint'
  | 'link'
  | 'replication'
  | 'peer'
  | 'reason'
  | 'rule'
  | 'watermarks'
  | 'lag'
  | 'sync'
>;

export const NO_MARKS: Status['watermarks'] = { sent: 0, received: 0, applied: 0, durable: 0 };
export const NO_LAG: Status['lag'] = { ops: 0, bytes: 0, oldestMs: 0 };
