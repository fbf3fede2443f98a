/** One frozen Config per daemon, made by `parse.ts` from argv and `-o` options. */
import type { Mode } from '../core/types.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type EngineName = 'native' | 'fuse-native';

/** The `-o key=value` options, with their defaults in options.ts. */
export interface Options {
  /** Milliseconds without progress after which the peer counts as lost. */
  readonly peerTimeoutMs: number;
  readonly onPeerLoss: 'continue' | 'block' | 'read-only';
  /** Bytes of un-acknowledged changes kept; at the bound callers wait. */
  readonly queueBytes: number;
  readonly syncMetadata: boolean;
  readonly writebackCache: boolean;
  readonly workers: number;
}

export interface Config {
  /** Canonical path of the protected directory, as bytes. */
  readonly directory: Buffer;
  /** Where applications see it; equal to `directory` when in place. */
  readonly mountpoint: Buffer;
  readonly stateDir: string;
  /** What the daemon starts as. */
  readonly start: 'mount' | 'serve';
  readonly peer: Address | null;
  readonly listen: Address | null;
  readonly mode: Mode;
  readonly engine: EngineName;
  readonly requirePeer: boolean;
  readonly insecure: boolean;
  readonly overwritePeer: boolean;
  readonly discardMine: boolean;
  /** Override of the "in use" and "empty" refusals. */
  readonly force: boolean;
  readonly options: Options;
  readonly logFile: string | null;
  readonly logLevel: string;
}
