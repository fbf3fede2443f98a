/** Where things are, from the compiled tests' point of view (dist/test/helpers/). */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repoRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** The command line as a user gets it. */
export const cliMain = join(repoRoot, 'dist/src/cli/main.js');
