/**
 * The daemon's log: pino lines (JSON) in a file, or short lines for a person on stderr. A log that
 * cannot be written loses lines, never the daemon: nothing here throws or blocks once the log is
 * open.
 */
import { pino, type DestinationStream } from 'pino';
import { TwinfsError, errorText } from '../errors.js';
import { LogFile } from './log-file.js';

interface LogMethod {
  (fields: object, message: string): void;
  (message: string): void;
}

/** The part of pino's logger that the program uses; tests bring their own. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** The same log, with `fields` in every line. */
  child(fields: object): Logger;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOutput {
  readonly log: Logger;
  /** Opens the file anew under its name (SIGHUP, after a rotation). */
  reopen(): void;
  /** Writes what is pending, synchronously; call before the process ends. */
  flush(): void;
}

export interface LogOptions {
  readonly level: string;
  /** JSON lines are appended here; null: no file. */
  readonly file: string | null;
  /** Lines for a person go here as well; null: nowhere. */
  readonly terminal: { write(text: string): unknown } | null;
}

/** Throws TwinfsError `log-file` when the file cannot be opened. */
export function openLog(options: LogOptions): LogOutput {
  const file = options.file === null ? null : openFile(options.file);
  const streams: { level: 'trace'; stream: DestinationStream }[] = [];
  if (file !== null) streams.push({ level: 'trace', stream: file });
  const terminal = options.terminal;
  if (terminal !== null) {
    const stream = { write: (line: string) => void terminal.write(readableLine(line)) };
    streams.push({ level: 'trace', stream });
  }
  const log = pino(
    { level: options.level, base: { pid: process.pid } },
    pino.multistream(streams, { dedupe: false }),
  );
  return {
    log,
    reopen: () => file?.reopen(),
    flush: () => file?.flush(),
  };
}

function openFile(path: string): LogFile {
  try {
    return new LogFile(path);
  } catch (cause) {
    throw new TwinfsError(
      'log-file',
      'usage',
      `cannot open the log file ${path}: ${errorText(cause)}; name another with --log`,
      cause,
    );
  }
}

const LEVEL_WORDS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** "12:30:59.123 info  message key=value": what a person reads on a terminal or in the journal. */
export function readableLine(line: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, pid: _pid, msg, ...rest } = fields;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const word = LEVEL_WORDS[Number(level)] ?? String(level);
  const details = Object.entries(rest).map(([key, value]) => ` ${key}=${readableValue(value)}`);
  return `${clock} ${word.padEnd(5)} ${String(msg ?? '')}${details.join('')}\n`;
}

function readableValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  if (typeof value === 'object' && value !== null && 'message' in value) {
    return JSON.stringify(value.message);
  }
  return JSON.stringify(value);
}
