/**
 * Examples at the end of a help text: what for, and below it the command, whole, to be copied.
 * Pure.
 */

/** Pairs of a command line (without "twinfs") and what it does. */
export const examples = (list: readonly (readonly [command: string, why: string])[]): string =>
  ['Examples:', ...list.flatMap(([command, why]) => [`  # ${why}`, `  twinfs ${command}`])].join(
    '\n',
  );
