/** What the tests' helpers want for cleaning, for programs that are no tests. */
import { clearBelow } from '../helpers/leftovers.js';
import { makeRoot } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';

/** Runs `step` with a cleanup of its own; what it left behind is taken away, however it ended. */
export async function withCleanup<T>(step: (context: Cleanup) => Promise<T>): Promise<T> {
  const actions: (() => Promise<void> | void)[] = [];
  try {
    return await step({ after: (action) => void actions.push(action) });
  } finally {
    for (const action of actions.reverse()) await action();
  }
}

/** A root for everything below; removed at the end. */
export async function withRoot(step: () => Promise<number>): Promise<void> {
  const root = makeRoot();
  process.env['TWINFS_TEST_TMP'] = root;
  let code = 1;
  try {
    code = await step();
  } finally {
    await clearBelow(root);
  }
  process.exitCode = code;
}
