/** An error → one line on stderr and its documented exit status. */
import { AssertionError } from '../assert.js';
import { EXIT, TwinfsError, errorText } from '../errors.js';
import type { CliContext } from './context.js';

/** Says what went wrong, with `hint` behind it; returns the exit status. */
export function reportFailure(context: CliContext, error: unknown, hint = ''): number {
  context.warn(`twinfs: ${oneLine(errorText(error))}${hint}`);
  if (error instanceof TwinfsError) return EXIT[error.exit];
  return error instanceof AssertionError ? EXIT.bug : EXIT.failed;
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, '; ');
