/** Ctrl-C while a command waits. */

/** Resolves at the first SIGINT or SIGTERM; until then these do not end the process. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
