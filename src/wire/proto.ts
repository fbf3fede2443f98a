/**
 * The generated module and protobufjs' Reader, with 64-bit numbers as plain JavaScript numbers:
 * this must be settled before the generated module is evaluated, hence one entrance for all. A
 * number too large to be exact comes out as at least 2^53 and is refused by the codec
 * (validate.ts), never silently rounded.
 */
import './plain-numbers.js';
import protobuf from 'protobufjs/minimal.js';
import type { Reader as ReaderType } from 'protobufjs/minimal.js';
import { twinfs } from './twinfs.pb.js';

export { twinfs as pb };
export type Reader = ReaderType;

/** A reader of `bytes`; byte fields it gives are views of it. */
export const reader = (bytes: Buffer): Reader => protobuf.Reader.create(bytes);
