/**
 * Whatever two trees hold: after a resync they are equal, and a second one finds nothing to send.
 */
import { strict as assert } from 'node:assert';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { missing } from '../helpers/requires.js';
import { resync } from '../helpers/resync-pair.js';
import { tempDir } from '../helpers/temp-dir.js';
import { findDifferences } from '../helpers/tree-compare.js';

const skip = missing({ root: true, addon: true, commands: ['getfattr'] });

type Node =
  | {
      readonly kind: 'file';
      readonly content: Content;
      readonly mode: number;
      readonly uid: number;
    }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'directory'; readonly mode: number; readonly nodes: Nodes };
type Nodes = Readonly<Record<string, Node>>;
interface Content {
  readonly size: number;
  readonly fill: number;
  /** Other bytes at this place, so that files differ in one block only. */
  readonly spot: number;
}

const NAMES = ['a', 'b', 'c', 'd', 'é'];
const content: fc.Arbitrary<Content> = fc.record({
  size: fc.constantFrom(0, 1, 4095, 4096, 4097, 70_000, 200_000),
  fill: fc.constantFrom(0, 0, 1, 2),
  spot: fc.constantFrom(0, 0, 5000, 150_000),
});
const mode = fc.constantFrom(0o755, 0o700, 0o4750, 0o1777);
const { tree } = fc.letrec<{ tree: Nodes; node: Node }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom(...NAMES), tie('node'), { maxKeys: 4 }),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      ...{ content, mode, uid: fc.constantFrom(0, 1, 1000) },
    }),
    fc.record({
      kind: fc.constant('symlink' as const),
      target: fc.constantFrom('a', '/etc', '..'),
    }),
    fc.record({ kind: fc.constant('link' as const), to: fc.constantFrom('a', 'b', 'c', 'a/a') }),
    fc.record({ kind: fc.constant('directory' as const), mode, nodes: tie('tree') }),
  ),
}));

function bytesOf({ size, fill, spot }: Content): Buffer {
  const data = Buffer.alloc(size, fill);
  if (spot > 0 && spot < size) data[spot] = 99;
  return data;
}

function makeNode(root: string, path: string, node: Node, links: [string, string][]): void {
  const at = join(root, path);
  if (node.kind === 'symlink') fs.symlinkSync(node.target, at);
  else if (node.kind === 'link') links.push([join(root, node.to), at]);
  else if (node.kind === 'file') {
    fs.writeFileSync(at, bytesOf(node.content));
    fs.chownSync(at, node.uid, node.uid);
    fs.chmodSync(at, node.mode);
  } else {
    fs.mkdirSync(at);
    for (const [name, below] of Object.entries(node.nodes)) {
      makeNode(root, join(path, name), below, links);
    }
    fs.chmodSync(at, node.mode);
  }
}

/** Links whose target is no file (or not there) are left out. */
function makeTree(root: string, nodes: Nodes): void {
  fs.mkdirSync(root);
  const links: [string, string][] = [];
  for (const [name, node] of Object.entries(nodes)) makeNode(root, name, node, links);
  for (const [from, to] of links) {
    try {
      fs.linkSync(from, to);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ENOENT', 'ENOTDIR', 'EPERM', 'EEXIST', 'ELOOP'].includes(code)) throw error;
    }
  }
}

test('two trees become equal, and then nothing is left to send', { skip }, async (t) => {
  const base = tempDir(t, 'property');
  let run = 0;
  await fc.assert(
    fc.asyncProperty(tree, tree, async (here, there) => {
      run += 1;
      const [source, target] = [join(base, `s${run}`), join(base, `t${run}`)];
      makeTree(source, here);
      makeTree(target, there);
      await resync({ source, target });
      assert.deepEqual(findDifferences(source, target), []);
      const { dataBytes } = await resync({ source, target });
      assert.equal(dataBytes, 0);
      fs.rmSync(source, { recursive: true });
      fs.rmSync(target, { recursive: true });
    }),
    { numRuns: 80, endOnFailure: true },
  );
});
