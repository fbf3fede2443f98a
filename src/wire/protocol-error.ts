/**
 * What is wrong with bytes from the peer, by a stable code. Whoever meets one says so to the peer
 * (Refuse) and closes the link; nothing of the offending frame is used.
 */
import { TwinfsError } from '../errors.js';

/**
 * `bad-magic`: not twinfs at all. `wrong-version`: another version of frames, protocol or features.
 * `frame-too-long`: a length beyond limits.ts. `bad-checksum`: damaged on the way. `unknown-type`:
 * a message number without a meaning here. `bad-message`: a field outside its bounds, named in the
 * message.
 */
export type ProtocolCode =
  | 'bad-magic'
  | 'wrong-version'
  | 'frame-too-long'
  | 'bad-checksum'
  | 'unknown-type'
  | 'bad-message';

const CODES: readonly string[] = [
  'bad-magic',
  'wrong-version',
  'unknown-features',
  'frame-too-long',
  'bad-checksum',
  'unknown-type',
  'bad-message',
];

/** True for a code that says "we do not understand each other" (handshake.ts's as well). */
export const isProtocolCode = (code: string): boolean => CODES.includes(code);

export class ProtocolError extends TwinfsError {
  override name = 'ProtocolError';
  declare readonly code: ProtocolCode;

  constructor(code: ProtocolCode, message: string, cause?: unknown) {
    super(code, 'protocol', message, cause);
  }
}

/** "bad-message" with the field's path, as in "ops[3].name: holds a '/'". */
export function badField(field: string, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError('bad-message', `${field}: ${what}`, cause);
}
