/** What a control command's result has to say to a person. */

/**
 * A string, or an object's `message` or `heard` (promote: since when nothing was heard of the
 * primary); null when there is nothing to say.
 */
export function resultText(result: unknown): string | null {
  if (typeof result === 'string') return result;
  if (typeof result !== 'object' || result === null) return null;
  const { message, heard } = result as { message?: unknown; heard?: unknown };
  if (typeof message === 'string') return message;
  return typeof heard === 'string' ? heard : null;
}
