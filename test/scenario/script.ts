/**
 * Scenario files: commands, a line `----`, what they print, an empty line; `#` lines are comments.
 * The same idea as etcd-io/raft's testdata: a conversation a person can read, checked to the
 * letter, rewritten with UPDATE=1 when it changes on purpose.
 */
import { assert } from '../../src/assert.js';

const RULE = '----';

interface Block {
  /** Comment and empty lines before the commands, as they stand in the file. */
  readonly lead: readonly string[];
  readonly commands: readonly string[];
}

export interface Command {
  readonly verb: string;
  /** Words without '='. */
  readonly words: readonly string[];
  /** Words `key=value`. */
  readonly options: ReadonlyMap<string, string>;
}

/** Runs every block through `execute` and gives the file as it should be. */
export function replay(text: string, execute: (command: Command) => string[]): string {
  const parts = parse(text).map((block) => {
    const printed = block.commands.flatMap((line) => execute(parseCommand(line)));
    const output = printed.length === 0 ? ['ok'] : printed;
    return [...block.lead, ...block.commands, RULE, ...output, ''].join('\n');
  });
  return parts.join('\n').replace(/\n{2,}$/, '\n');
}

export function parse(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  let at = 0;
  while (at < lines.length) {
    const lead: string[] = [];
    const commands: string[] = [];
    for (; at < lines.length && lines[at] !== RULE; at += 1) {
      const line = lines[at] ?? '';
      if (line !== '' && !line.startsWith('#')) commands.push(line);
      else if (commands.length === 0) lead.push(line);
      else assert(line === '', `a comment between commands: ${line}`);
    }
    at += 1;
    // What was printed the last time: replay prints it anew.
    while (at < lines.length && lines[at] !== '') at += 1;
    at += 1;
    if (commands.length > 0) {
      const isFirst = blocks.length === 0;
      blocks.push({ lead: trimmed(lead, isFirst), commands });
    }
  }
  return blocks;
}

/** Empty lines around comments are the writer's of the file, not the reader's. */
const trimmed = (lead: readonly string[], isFirst: boolean): string[] => {
  const text = lead.join('\n').replace(/^\n+|\n+$/g, '');
  if (text === '') return [];
  return isFirst ? [...text.split('\n'), ''] : text.split('\n');
};

export function parseCommand(line: string): Command {
  const [verb = '', ...rest] = line.trim().split(/\s+/);
  const options = new Map<string, string>();
  const words: string[] = [];
  for (const word of rest) {
    const sign = word.indexOf('=');
    if (sign > 0) options.set(word.slice(0, sign), word.slice(sign + 1));
    else words.push(word);
  }
  return { verb, words, options };
}
