/**
 * A process that does everything to a few names below DIRECTORY, at random: many of them at once
 * make every race there is. What cannot be done at the moment (the name is gone, the directory not
 * empty) is passed over. Arguments: DIRECTORY SEED MILLISECONDS. Prints the number of things it
 * did.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { native } from '../../src/io/native.js';

const [directory = '', seed = '1', milliseconds = '1000'] = process.argv.slice(2);
const EXPECTED = ['ENOENT', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'EINVAL', 'EBUSY', 'EPERM'];
const HELD_MAX = 20;

/** xorshift32: the same seed does the same things. */
let state = (Number(seed) * 2_654_435_761) >>> 0 || 1;
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
}
const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;

function folder(): string {
  const parts = [directory];
  for (let depth = below(3); depth > 0; depth -= 1) parts.push(`d${below(4)}`);
  return join(...parts);
}
const file = (): string => join(folder(), `f${below(12)}`);
const directoryName = (): string => join(folder(), `d${below(4)}`);
const noise = (size: number): Buffer => Buffer.alloc(size, `${below(1_000_000)} `);

/** Files kept open, some of them long after they have lost their names. */
const held: number[] = [];

function write(): void {
  const flags = pick(['r+', 'w', 'a', 'wx', 'w+']);
  const fd = fs.openSync(file(), flags, pick([0o644, 0o600, 0o755]));
  for (let count = 1 + below(3); count > 0; count -= 1) {
    const at = flags === 'a' ? null : below(300_000);
    fs.writeSync(fd, noise(pick([1, 100, 4096, 70_000, 600_000])), 0, undefined, at);
  }
  if (below(3) === 0 && held.length < HELD_MAX) held.push(fd);
  else fs.closeSync(fd);
}

function useHeld(): void {
  const fd = held.splice(below(held.length), 1)[0];
  if (fd === undefined) return;
  fs.writeSync(fd, noise(below(9000) + 1), 0, undefined, below(100_000));
  fs.fchmodSync(fd, 0o640);
  if (below(4) === 0) fs.fdatasyncSync(fd);
  fs.closeSync(fd);
}

function withFile(use: (fd: number) => void): void {
  const fd = fs.openSync(file(), 'r+');
  try {
    use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const ACTIONS: readonly (() => void)[] = [
  write,
  write,
  write,
  useHeld,
  () => fs.renameSync(file(), file()),
  () => fs.linkSync(file(), file()),
  () => fs.unlinkSync(file()),
  () => fs.mkdirSync(directoryName()),
  () => fs.rmdirSync(directoryName()),
  () => fs.renameSync(directoryName(), directoryName()),
  () => fs.truncateSync(file(), below(400_000)),
  () => fs.chmodSync(file(), pick([0o600, 0o644, 0o4755, 0o2711])),
  () => fs.chownSync(file(), below(5), below(5)),
  () => fs.utimesSync(file(), below(1e9), below(1e9)),
  () => fs.symlinkSync(`to-${below(1000)}`, `${file()}s`),
  // Not copyFileSync: libuv's never ends when the file is truncated meanwhile.
  () => void spawnSync('cp', [file(), file()]),
  () => withFile((fd) => native().punchHole(fd, below(100_000), below(100_000) + 1)),
  () => withFile((fd) => native().setXattr(fd, `user.k${below(3)}`, noise(below(200)))),
  () => void fs.readdirSync(folder()).map((name) => fs.lstatSync(join(folder(), name))),
];

let done = 0;
for (const end = performance.now() + Number(milliseconds); performance.now() < end; done += 1) {
  try {
    pick(ACTIONS)();
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException;
    if (!EXPECTED.includes(code ?? '')) throw new Error(`${syscall} ${path}: ${code}`);
  }
}
process.stdout.write(`${done}\n`);
