/**
 * Do two trees hold the same? Names (bytes), types, modes, owners, sizes, mtimes to the nanosecond,
 * extended attributes and ACLs, devices, symlink targets, link structure, contents. Not ctime,
 * atime and inode numbers, which twinfs does not carry (docs/guarantees.md).
 *
 * `compareTrees` does its work in another process: the caller's event loop goes on, and a mount
 * that hangs hangs that process only. By hand: node dist/test/helpers/tree-compare.js A B
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CHUNK_BYTES, scanTree } from './tree-scan.js';
import type { Entry } from './tree-scan.js';
import { waitFor } from './wait-for.js';

const DIFFERENCES_MAX = 200;
const COMPARE_TIMEOUT_MS = 300_000;
const SETTLE_TIMEOUT_MS = 15_000;

/** Differences as lines "path: what (a | b)"; at most DIFFERENCES_MAX. */
export function findDifferences(a: string, b: string): string[] {
  const [treeA, treeB] = [scanTree(a), scanTree(b)];
  const differences: string[] = [];
  for (const [path, entry] of treeA) {
    const other = treeB.get(path);
    if (other === undefined) differences.push(`${show(path)}: only in ${a}`);
    else differences.push(...compareEntries(path, entry, other));
  }
  for (const path of treeB.keys()) {
    if (!treeA.has(path)) differences.push(`${show(path)}: only in ${b}`);
  }
  return differences.slice(0, DIFFERENCES_MAX);
}

const show = (path: string): string => (path === '' ? '(the root)' : JSON.stringify(path));

const FIELDS: readonly (keyof Entry)[] = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtimeNs',
  'rdev',
  'target',
  'firstName',
];

const text = (value: unknown, field: string): string =>
  field === 'mode' ? `0${Number(value).toString(8)}` : String(value);

function compareEntries(path: string, a: Entry, b: Entry): string[] {
  const differences = FIELDS.filter((field) => a[field] !== b[field]).map(
    (field) => `${show(path)}: ${field} (${text(a[field], field)} | ${text(b[field], field)})`,
  );
  for (const name of new Set([...Object.keys(a.xattrs), ...Object.keys(b.xattrs)])) {
    const [valueA, valueB] = [a.xattrs[name], b.xattrs[name]];
    if (valueA !== valueB) {
      differences.push(`${show(path)}: xattr ${name} (${valueA ?? 'none'} | ${valueB ?? 'none'})`);
    }
  }
  return [...differences, ...compareChunks(path, a, b)];
}

function compareChunks(path: string, a: Entry, b: Entry): string[] {
  const length = Math.max(a.chunks.length, b.chunks.length);
  for (let index = 0; index < length; index += 1) {
    if (a.chunks[index] !== b.chunks[index]) {
      return [
        `${show(path)}: contents, first in the ${CHUNK_BYTES} bytes from ${index * CHUNK_BYTES}`,
      ];
    }
  }
  return [];
}

/** findDifferences in a process of its own. */
export async function compareTrees(a: string, b: string): Promise<string[]> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), a, b, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMPARE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0)
    throw new Error(`comparing ${a} and ${b} failed (${String(status)}): ${errors}`);
  return JSON.parse(output) as string[];
}

/**
 * Waits until the trees are equal: a secondary is allowed a moment (a second when idle). Throws
 * with the differences when they still differ at the deadline.
 */
export async function waitForEqualTrees(
  a: string,
  b: string,
  timeoutMs = SETTLE_TIMEOUT_MS,
): Promise<void> {
  await waitFor(
    `${a} and ${b} to be equal`,
    async () => {
      const differences = await compareTrees(a, b);
      if (differences.length > 0) throw new Error(differences.slice(0, 20).join('\n'));
      return true;
    },
    { timeoutMs, everyMs: 200 },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [a = '', b = '', how] = process.argv.slice(2);
  const differences = findDifferences(a, b);
  const report = differences.length === 0 ? 'equal' : differences.join('\n');
  process.stdout.write(how === '--json' ? JSON.stringify(differences) : `${report}\n`);
}
