/**
 * Assertions stay on in production: a broken invariant stops the daemon before it can harm a copy.
 */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${what}`);
}

export function assertNever(value: never): never {
  throw new AssertionError(`impossible value: ${JSON.stringify(value)}`);
}
