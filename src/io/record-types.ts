/** The durable record of one node, `<state>/node.json`, and the mark on DIR's root. */
import type { DataState, Id, Mode, Role } from '../core/types.js';

export interface NodeRecord {
  readonly mirror: Id;
  readonly node: Id;
  readonly role: Role;
  readonly data: DataState;
  readonly current: Id;
  readonly base: Id;
  readonly history: readonly Id[];
  /** Changes were (or may have been) answered that the peer does not have. */
  readonly wentAlone: boolean;
  /** The last mode, which decides what an unclean stop means. */
  readonly mode: Mode;
  /** False while a daemon runs: an unclean stop leaves it false. */
  readonly clean: boolean;
  readonly bootId: string;
  /** Protected directory, for messages. */
  readonly directory: string;
}

/** Value of the xattr `trusted.twinfs` on DIR's root. */
export interface RootMark {
  readonly mirror: Id;
  readonly current: Id;
  readonly node: Id;
}
