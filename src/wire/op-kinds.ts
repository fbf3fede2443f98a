/** Numbers of op kinds and flags in twinfs.proto, for op-writer.ts and op-reader.ts. */
import type { OpKind } from '../op/op.js';
import { Names } from './validate.js';

export const KINDS = new Names<OpKind>([
  'bind',
  'forget',
  'write',
  'truncate',
  'fallocate',
  'copyRange',
  'create',
  'link',
  'unlink',
  'rename',
  'setattr',
  'times',
  'setxattr',
  'removexattr',
  'fsync',
  'barrier',
]);

/** `flags` of write and truncate (kill-priv), unlink (directory), fsync (data-only). */
export const FLAG = 1;
