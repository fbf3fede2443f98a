/** The engine by its name. The portable one's binding is loaded only when it is asked for. */
import type { EngineName } from '../config/config.js';
import type { Logger } from '../io/logger.js';
import type { Engine } from './engine.js';
import { NativeEngine } from './native.js';

/**
 * Rejects with TwinfsError `addon-missing` or `libfuse-missing` when the engine cannot run here.
 */
export async function createEngine(name: EngineName, log: Logger): Promise<Engine> {
  if (name === 'native') return new NativeEngine();
  const { FuseNativeEngine } = await import('./fuse-native.js');
  return new FuseNativeEngine((text) => log.warn(text));
}
