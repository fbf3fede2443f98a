/**
 * Runs `work` over items, `count` at a time. Returns when every started one has settled, so that
 * nothing still uses a file that the caller closes next; then throws the first error, if any.
 */
export async function inLanes<T>(
  count: number,
  items: Iterator<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (errors.length === 0) {
      const next = items.next();
      if (next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: count }, lane));
  if (errors.length > 0) throw errors[0];
}
