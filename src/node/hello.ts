/** This node's Hello: who it is, from its record, at the moment of the handshake. */
import type { Config } from '../config/config.js';
import type { Hello } from '../wire/messages.js';
import { FEATURES, PROTOCOL_VERSION } from '../wire/handshake.js';
import { native } from '../io/native.js';
import type { NodeContext } from './context.js';

export type Words = Pick<Config, 'overwritePeer' | 'discardMine'>;

/** `words`: the operator's overrides still in force. */
export async function ownHello(context: NodeContext, words: Words): Promise<Hello> {
  const { current: record } = context.record;
  return {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    features: FEATURES,
    mirror: record.mirror,
    node: record.node,
    bootId: record.bootId,
    instance: context.instance,
    role: record.role,
    data: record.data,
    current: record.current,
    base: record.base,
    history: record.history,
    wentAlone: record.wentAlone,
    empty: await isEmpty(context.rootFd),
    mode: record.mode,
    clockMs: Date.now(),
    software: `twinfs ${context.version}`,
    overwritePeer: words.overwritePeer,
    discardMine: words.discardMine,
    clean: record.clean,
  };
}

/** Holds nothing but what a new filesystem has. */
async function isEmpty(rootFd: number): Promise<boolean> {
  const entries = await native().readDir(rootFd, Buffer.alloc(0));
  return entries.every((entry) => entry.name.equals(LOST_AND_FOUND));
}

const LOST_AND_FOUND = Buffer.from('lost+found');
