/** Requests and replies as lines of JSON: encoding, and decoding that trusts nothing. Pure. */
import { MODES } from '../core/types.js';
import { EXIT, TwinfsError, type ExitName } from '../errors.js';
import { AssertionError } from '../assert.js';
import type { Reply, Request } from './messages.js';

export const encodeRequest = (request: Request): string => JSON.stringify(request);

/** Throws `bad-request`. */
export function decodeRequest(line: string): Request {
  const fields = parseObject(line);
  switch (fields['command']) {
    case 'status':
    case 'flush':
    case 'stop':
      return { command: fields['command'] };
    case 'mode':
      return { command: 'mode', mode: oneOf(fields['mode'], MODES, 'mode') };
    case 'umount':
      return { command: 'umount', lazy: flag(fields, 'lazy') };
    case 'connect':
      return {
        command: 'connect',
        overwritePeer: flag(fields, 'overwritePeer'),
        peer: peerAddress(fields['peer']),
      };
    case 'promote': {
      const mode = fields['mode'];
      return {
        command: 'promote',
        peer: peerAddress(fields['peer']),
        mode: mode === null ? null : oneOf(mode, MODES, 'mode'),
        force: flag(fields, 'force'),
      };
    }
    default:
      throw bad(`unknown command ${JSON.stringify(fields['command'])}`);
  }
}

const bad = (what: string): TwinfsError =>
  new TwinfsError(
    'bad-request',
    'protocol',
    `the daemon was asked something it does not understand (${what}); ` +
      'the command line and the daemon are of different versions: restart the daemon',
  );

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('no object');
  return value as Record<string, unknown>;
}

function oneOf<T extends string>(value: unknown, words: readonly T[], what: string): T {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw bad(`${what} ${JSON.stringify(value)}`);
  return word;
}

function flag(fields: Record<string, unknown>, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw bad(`${name} ${JSON.stringify(value)}`);
  return value;
}

function peerAddress(value: unknown): { host: string; port: number } | null {
  if (value === null) return null;
  if (typeof value === 'object') {
    const { host, port } = value as Record<string, unknown>;
    if (typeof host === 'string' && typeof port === 'number') return { host, port };
  }
  throw bad('peer');
}

export const encodeReply = (reply: Reply): string => JSON.stringify(reply);

/** Any error → the reply that carries it; what is not a TwinfsError keeps its text. */
export function failureReply(error: unknown): Reply {
  if (error instanceof TwinfsError) {
    return { ok: false, code: error.code, exit: error.exit, message: error.message };
  }
  const exit: ExitName = error instanceof AssertionError ? 'bug' : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, code: 'unexpected', exit, message };
}

/** The result, or the daemon's error as a TwinfsError. */
export function openReply(line: string): unknown {
  const fields = parseObject(line);
  if (fields['ok'] === true) return fields['result'] ?? null;
  const { code, exit, message } = fields;
  const known = typeof exit === 'string' && Object.hasOwn(EXIT, exit);
  throw new TwinfsError(
    typeof code === 'string' ? code : 'unexpected',
    known ? (exit as ExitName) : 'failed',
    typeof message === 'string' ? message : 'the daemon refused and did not say why',
  );
}
