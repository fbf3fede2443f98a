/**
 * The part of the handshake that comes before any content: do both sides speak the same protocol?
 * Pure; who is right about the data is core/generation.ts.
 */
import type { Refuse } from './messages.js';

/** Raised when a message changes its meaning or a new one must be understood. */
export const PROTOCOL_VERSION = 1;
/** Bits of what this side understands beyond PROTOCOL_VERSION; none yet. */
export const FEATURES = 0n;

export interface Speaker {
  readonly protocol: number;
  readonly features: bigint;
  /** "twinfs 0.1.0", for the message. */
  readonly software: string;
}

/** Null, or why the peer cannot be talked to: "wrong-version" or "unknown-features". */
export function refusal(
  peer: Speaker,
  own: { readonly protocol: number; readonly features: bigint } = {
    protocol: PROTOCOL_VERSION,
    features: FEATURES,
  },
): Refuse | null {
  const software = peer.software === '' ? 'an unnamed version' : peer.software;
  if (peer.protocol !== own.protocol) {
    return {
      type: 'refuse',
      code: 'wrong-version',
      text:
        `the peer (${software}) speaks protocol ${peer.protocol}, this node speaks protocol ` +
        `${own.protocol}; run the same twinfs version on both nodes`,
    };
  }
  const unknown = peer.features & ~own.features;
  if (unknown !== 0n) {
    return {
      type: 'refuse',
      code: 'unknown-features',
      text:
        `the peer (${software}) needs protocol features 0x${unknown.toString(16)} that this node ` +
        'does not have; run the same twinfs version on both nodes',
    };
  }
  return null;
}
