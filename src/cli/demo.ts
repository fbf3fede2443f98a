/**
 * twinfs demo: its options, and the end in good order whatever happens. The show is in src/demo.
 */
import { TwinfsError } from '../errors.js';
import { MODES, type Mode } from '../core/types.js';
import { Display } from '../demo/display.js';
import { clear, makeBase } from '../demo/places.js';
import { show, type ShowOptions } from '../demo/show.js';
import { interruption } from './interrupt.js';

const SECONDS_DEFAULT = 6;

/** Words after "demo" → exit status: 0 when everything that was promised held, else 1. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (process.getuid?.() !== 0) {
    throw new TwinfsError('not-root', 'notRoot', 'the demo mounts, which needs root; try sudo');
  }
  const display = new Display();
  display.title(`twinfs: a directory on two servers, mode ${options.mode}`, [
    'Two nodes on this machine, each with its own directory, state and daemon.',
    'Everything below a temporary directory; nothing stays behind.',
  ]);
  const base = makeBase();
  const stopped = interruption().then(() => null);
  let good: boolean | null = false;
  try {
    good = await Promise.race([show(base, display, options), stopped]);
  } catch (error) {
    display.bad(error instanceof Error ? error.message : String(error));
  }
  const left = await clear(base);
  for (const what of left) display.bad(`left behind: ${what}`);
  if (good === null) display.warn('interrupted; everything was cleared away');
  // What an interrupted show still waits for ends with the process.
  if (good === null) process.exit(130);
  return good && left.length === 0 ? 0 : 1;
}

function parse(args: readonly string[]): ShowOptions {
  let mode: Mode = 'sync';
  let seconds = SECONDS_DEFAULT;
  let withPostgres = true;
  for (let index = 0; index < args.length; index += 1) {
    const [name = '', inline] = (args[index] ?? '').split('=', 2);
    const value = (): string => {
      if (inline !== undefined) return inline;
      index += 1;
      return args[index] ?? '';
    };
    if (name === '--mode') mode = parseMode(value());
    else if (name === '--seconds') seconds = parseSeconds(value());
    else if (name === '--no-postgres') withPostgres = false;
    else throw usage(`unknown argument ${name}`);
  }
  return { mode, seconds, withPostgres };
}

function parseMode(text: string): Mode {
  const mode = MODES.find((one) => one === text);
  if (mode === undefined) throw usage(`--mode must be one of ${MODES.join(', ')}`);
  return mode;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 3600)) throw usage('--seconds must be from 1 to 3600');
  return seconds;
}

const usage = (message: string): TwinfsError => new TwinfsError('usage', 'usage', message);
