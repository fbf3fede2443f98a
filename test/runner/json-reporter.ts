/**
 * A reporter for node:test that writes one JSON line when a test starts and one when it has ended,
 * for run.ts to read from a file: a test file's own output cannot get mixed up with it.
 */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export interface TestLine {
  /** `started` is followed by another line for the same test, unless the file was ended. */
  readonly outcome: 'started' | 'passed' | 'failed' | 'skipped' | 'todo';
  readonly name: string;
  /** 0 is the top level of the file. */
  readonly nesting: number;
  /** A `describe` block: shown when it fails by itself, never counted. */
  readonly suite: boolean;
  readonly durationMs: number;
  /** Why it was skipped, or how it failed, else empty. */
  readonly detail: string;
}

const ERROR_TEXT_CHARACTERS_MAX = 64_000;

/** The cause is what the test threw; node:test wraps it. */
function errorText(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text =
    typeof cause === 'string' ? cause : inspect(cause, { depth: 4, maxStringLength: null });
  return text.slice(0, ERROR_TEXT_CHARACTERS_MAX);
}

function toLine(event: TestEvent): TestLine | null {
  if (event.type === 'test:dequeue') {
    const { name, nesting } = event.data;
    return { outcome: 'started', name, nesting, suite: false, durationMs: 0, detail: '' };
  }
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return null;
  const { data } = event;
  const skip: unknown = data.skip;
  const todo: unknown = data.todo;
  const isSkipped = skip !== undefined && skip !== false;
  const isTodo = todo !== undefined && todo !== false;
  const failed = event.type === 'test:fail';
  return {
    outcome: isSkipped ? 'skipped' : isTodo ? 'todo' : failed ? 'failed' : 'passed',
    name: data.name,
    nesting: data.nesting,
    suite: (data.details.type as unknown) === 'suite',
    durationMs: data.details.duration_ms,
    detail: isSkipped ? String(skip) : failed ? errorText(event.data.details.error) : '',
  };
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const line = toLine(event);
    if (line !== null) yield `${JSON.stringify(line)}\n`;
  }
}
