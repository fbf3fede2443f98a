/** The version of this package, as package.json has it. */
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };

export const VERSION: string = manifest.version;
