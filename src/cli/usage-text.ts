/**
 * The words of yargs for a wrong command line → ours: short, one line, the option named as typed.
 * Pure.
 */

const RULES: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [/^Not enough non-option arguments: got 0/, () => 'DIR is missing'],
  [/^Not enough non-option arguments/, () => 'an argument is missing'],
  [/^Too many non-option arguments/, () => 'too many arguments'],
  [/^Missing required arguments?: (.+)$/, (names) => `${options(names)} is missing`],
  [/^Not enough arguments following: (.+)$/, (name) => `${option(name)} needs a value`],
  [/^Unknown commands?: ([^,]+)/, (name) => `unknown command or argument: ${name}`],
  [/^Unknown arguments?: (.+)$/, (names) => `unknown option or argument: ${names}`],
  [
    /Argument: ([^,]+), Given: "(.*)", Choices: (.+)$/,
    (name, given, choices) =>
      `${option(name)} ${given}: must be one of ${choices.replaceAll('"', '')}`,
  ],
];

const option = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);
const options = (names: string): string => names.split(', ').map(option).join(', ');

export function usageText(message: string): string {
  const line = message.trim().replace(/\s*\n\s*/g, ' ');
  for (const [pattern, write] of RULES) {
    const match = pattern.exec(line);
    if (match !== null) return write(...match.slice(1));
  }
  return line.charAt(0).toLowerCase() + line.slice(1);
}

/**
 * What follows "--" is never an option, but yargs would not take it for DIR either: "-x" becomes
 * "./-x".
 */
export function plainWords(argv: readonly string[]): string[] {
  const at = argv.indexOf('--');
  if (at < 0) return [...argv];
  const words = argv.slice(at + 1).map((word) => (word.startsWith('-') ? `./${word}` : word));
  return [...argv.slice(0, at), ...words];
}
