/**
 * Temporary directories of the tests. All of one run lie below one root whose name says which
 * process owns it, `<tmp>/twinfs-t-<pid>-<start>`: another run can tell a leftover (its owner is
 * gone) from a neighbour at work. The runner hands its root down in TWINFS_TEST_TMP; a test file
 * run by hand makes its own.
 *
 * Paths are kept short: a Unix socket path has 107 bytes (unix(7)).
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { clearBelow } from './leftovers.js';
import { removeTree } from './remove-tree.js';
import { processInfo } from './processes.js';

const PREFIX = 'twinfs-t-';

/**
 * What tests hand over: node:test's context, or anything else that can run something at the end.
 */
export interface Cleanup {
  after(action: () => Promise<void> | void): void;
}

const startMark = (ticks: string): string => Number(ticks).toString(36);

/** Makes the root of a run that this process owns. */
export function makeRoot(): string {
  const info = processInfo(process.pid);
  const root = join(tmpdir(), `${PREFIX}${process.pid}-${startMark(info?.startedAt ?? '0')}`);
  fs.mkdirSync(root, { recursive: true });
  // Servers under test run as other users and must get through.
  fs.chmodSync(root, 0o755);
  return root;
}

/** Roots in the temporary directory whose owner is gone. */
export function staleRoots(): string[] {
  return fs
    .readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .filter((name) => {
      const [pid, start] = name.slice(PREFIX.length).split('-');
      const owner = processInfo(Number(pid));
      return owner === null || startMark(owner.startedAt) !== start;
    })
    .map((name) => join(tmpdir(), name));
}

let ownRoot: string | null = null;

/** The root for this test file. */
export function tempRoot(): string {
  const given = process.env['TWINFS_TEST_TMP'];
  if (given !== undefined && given !== '') return given;
  if (ownRoot === null) {
    const root = makeRoot();
    ownRoot = root;
    process.once('exit', () => {
      removeTree(root);
    });
  }
  return ownRoot;
}

/**
 * A new directory, mode 0755. After the test, processes that name it are killed, mounts below it
 * removed and the directory deleted.
 */
export function tempDir(context: Cleanup, name = 'd'): string {
  const directory = fs.mkdtempSync(join(tempRoot(), `${basename(name)}-`));
  fs.chmodSync(directory, 0o755);
  context.after(async () => {
    await clearBelow(directory);
    removeTree(directory);
  });
  return directory;
}
