/** How the demo talks: numbered steps, facts, tables and one live line; in colour on a terminal. */
import { systemClock } from '../io/system-clock.js';

type Color = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';
const CODES: Readonly<Record<Color, string>> = {
  bold: '1',
  dim: '2',
  green: '32',
  yellow: '33',
  red: '1;31',
  cyan: '36',
};
const WIDTH = 78;
/** A reader of a file is told this often that something goes on. */
const PLAIN_LIVE_MS = 5_000;

export class Display {
  readonly #terminal = process.stdout.isTTY;
  readonly #colored =
    process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  #steps = 0;
  #live = false;
  #plainAt = systemClock.monotonicMs();
  readonly #startedAt = systemClock.monotonicMs();

  paint(color: Color, text: string): string {
    return this.#colored ? `\x1b[${CODES[color]}m${text}\x1b[0m` : text;
  }

  title(text: string, lines: readonly string[]): void {
    const rule = this.paint('cyan', '─'.repeat(WIDTH));
    this.#print(rule);
    this.#print(this.paint('bold', `  ${text}`));
    for (const line of lines) this.#print(this.paint('dim', `  ${line}`));
    this.#print(rule);
  }

  step(text: string): void {
    this.#steps += 1;
    const seconds = ((systemClock.monotonicMs() - this.#startedAt) / 1000).toFixed(0);
    const head = `${this.#steps}. ${text}`;
    const at = `${seconds} s`.padStart(Math.max(1, WIDTH - head.length));
    this.#print(`\n${this.paint('bold', head)}${this.paint('dim', at)}`);
  }

  /** A fact, indented. */
  say(text: string): void {
    this.#print(`   ${text}`);
  }

  command(words: readonly string[]): void {
    this.say(`${this.paint('dim', '$')} ${this.paint('cyan', `twinfs ${words.join(' ')}`)}`);
  }

  good(text: string): void {
    this.say(`${this.paint('green', '✓')} ${text}`);
  }

  warn(text: string): void {
    this.say(`${this.paint('yellow', '!')} ${this.paint('yellow', text)}`);
  }

  bad(text: string): void {
    this.say(`${this.paint('red', '✗')} ${this.paint('red', text)}`);
  }

  /** One line that is written over; where there is no terminal, once in a while. */
  live(text: string): void {
    if (this.#terminal) {
      const width = (process.stdout.columns ?? WIDTH) - 4;
      process.stdout.write(`\r\x1b[K   ${this.paint('dim', text.slice(0, width))}`);
      this.#live = true;
      return;
    }
    const now = systemClock.monotonicMs();
    if (now - this.#plainAt < PLAIN_LIVE_MS) return;
    this.#plainAt = now;
    this.#print(`   … ${text}`);
  }

  /** The first row is the head; numbers (all but the first column) to the right. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) =>
      Math.max(...rows.map((row) => (row[column] ?? '').length)),
    );
    rows.forEach((row, index) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      });
      const line = cells.join('   ').trimEnd();
      this.say(index === 0 ? this.paint('dim', line) : line);
    });
  }

  verdict(isGood: boolean, lines: readonly string[]): void {
    const color = isGood ? 'green' : 'red';
    const rule = this.paint(color, '─'.repeat(WIDTH));
    this.#print(`\n${rule}`);
    lines.forEach((line, index) => {
      this.#print(`  ${index === 0 ? this.paint('bold', line) : line}`);
    });
    this.#print(rule);
  }

  #print(text: string): void {
    if (this.#live) process.stdout.write('\r\x1b[K');
    this.#live = false;
    process.stdout.write(`${text}\n`);
  }
}

/** [######......] */
export function bar(fraction: number, width = 30): string {
  const filled = Math.floor(Math.min(1, Math.max(0, fraction)) * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}

/** 1234567 → "1,234,567" */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

export const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
