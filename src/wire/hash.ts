/**
 * xxHash for frames and blocks, by xxhash-wasm. Compiling the WASM takes a few milliseconds and is
 * asynchronous, so it is asked for once at start: `await initHash()`, in every thread that hashes.
 */
import xxhash from 'xxhash-wasm';
import type { XXHashAPI } from 'xxhash-wasm';
import { assert } from '../assert.js';

let api: XXHashAPI | null = null;

/** Call once before anything here or in the codec is used; later calls cost nothing. */
export async function initHash(): Promise<void> {
  api ??= await xxhash();
}

function ready(): XXHashAPI {
  assert(api !== null, 'initHash() was awaited');
  return api;
}

export const hash32 = (bytes: Uint8Array): number => ready().h32Raw(bytes);
/** xxh64, seed 0; unsigned. */
export const hash64 = (bytes: Uint8Array): bigint => ready().h64Raw(bytes);

/** xxh64, seed 0, of the parts as if they were one. */
export function hash64Parts(parts: readonly Uint8Array[]): bigint {
  if (parts.length === 1 && parts[0] !== undefined) return hash64(parts[0]);
  const state = ready().create64();
  for (const part of parts) state.update(part);
  return state.digest();
}
