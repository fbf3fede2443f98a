/** A temporary directory with an applier on it, and short names for what its tests say often. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { native } from '../../src/io/native.js';
import type { NativeApplier } from '../../src/io/native.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { Cleanup } from '../helpers/temp-dir.js';

export const O_PATH = 0o10000000;
export const ROOT = 1;
export const FILE = 0o100644;
export const DIRECTORY = 0o040755;
export const NONE = Buffer.alloc(0);

export const bytes = (text: string): Buffer => Buffer.from(text);

export interface AppliedTree {
  readonly directory: string;
  /** Full path of something below it. */
  readonly at: (name: string) => string;
  readonly applier: NativeApplier;
  readonly rootFd: number;
  /** Creates an empty file or directory with the caller's owner and binds `ref`. */
  readonly create: (ref: number, parent: number, name: string, mode?: number) => void;
  readonly bind: (ref: number, parent: number, name: string) => void;
}

/** An applier on `directory`, closed after the test. */
export function applierOn(context: Cleanup, directory: string): AppliedTree {
  const rootFd = native().open(bytes(directory), O_PATH, 0);
  const applier = new (native().Applier)(rootFd);
  context.after(() => {
    applier.close();
    native().close(rootFd);
  });
  return {
    directory,
    at: (name) => join(directory, name),
    applier,
    rootFd,
    create: (ref, parent, name, mode = FILE) => {
      assert.equal(applier.create(ref, parent, bytes(name), mode, 0, 0, 0, NONE), 0);
    },
    bind: (ref, parent, name) => {
      assert.equal(applier.bind(ref, parent, bytes(name)), 0);
    },
  };
}

export const appliedTree = (context: Cleanup): AppliedTree =>
  applierOn(context, tempDir(context, 'tree'));

/** An xattr of exactly this name, symlinks not followed; null when absent. */
export function xattrOf(path: string, name: string): Buffer | null {
  const fd = native().open(bytes(path), O_PATH | fs.constants.O_NOFOLLOW, 0);
  try {
    return native().getXattr(fd, name);
  } finally {
    native().close(fd);
  }
}

export function setXattrOf(path: string, name: string, value: string): void {
  const fd = native().open(bytes(path), O_PATH | fs.constants.O_NOFOLLOW, 0);
  try {
    native().setXattr(fd, name, bytes(value));
  } finally {
    native().close(fd);
  }
}
