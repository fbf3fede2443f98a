/** What bad input gets: its own exit code and one line that says what happened and what to do. */
import assert from 'node:assert/strict';
import { EXIT } from '../../src/errors.js';
import type { ExitName } from '../../src/errors.js';
import type { CliResult } from './cli.js';

/** The command ended with this code, and its one line on stderr matches each of `texts`. */
export function assertRefused(
  result: CliResult,
  exit: ExitName,
  ...texts: readonly RegExp[]
): void {
  assert.equal(result.code, EXIT[exit], `wanted "${exit}"; ${result.stdout}${result.stderr}`);
  assert.match(result.stderr, /^twinfs: .+\n$/, 'one line');
  assert.doesNotMatch(result.stderr, /\n +at .+:\d+/, 'no stack');
  for (const text of texts) assert.match(result.stderr, text);
}
