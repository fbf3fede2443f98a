/**
 * tree-compare.ts: equal trees are equal, and each property it promises to see is seen when it
 * differs.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { missing } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { compareTrees } from '../../helpers/tree-compare.js';
import { CHUNK_BYTES, parseGetfattr } from '../../helpers/tree-scan.js';

const needs = missing({ root: true, commands: ['getfattr', 'setfattr', 'setfacl'] });

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
}

/** A tree with something of everything; twice the same. */
function plant(root: string): void {
  fs.mkdirSync(join(root, 'dir/deep'), { recursive: true });
  fs.writeFileSync(join(root, 'file'), Buffer.alloc(3 * CHUNK_BYTES, 'a'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/odd-`), Buffer.from([0xff, 0x0a])]), 'x');
  fs.linkSync(join(root, 'file'), join(root, 'linked'));
  fs.writeFileSync(join(root, 'single'), Buffer.alloc(3 * CHUNK_BYTES, 'a'));
  fs.symlinkSync('file', join(root, 'symlink'));
  run('mkfifo', join(root, 'fifo'));
  run('mknod', join(root, 'device'), 'c', '1', '3');
  run('setfattr', '-n', 'user.color', '-v', 'blue', join(root, 'dir'));
  run('setfattr', '-n', 'trusted.twinfs', '-v', root, root);
  const names = fs.readdirSync(root, { encoding: 'buffer' });
  for (const name of [...names, Buffer.from('dir/deep'), Buffer.from('.')]) {
    fs.lutimesSync(Buffer.concat([Buffer.from(`${root}/`), name]), 1_700_000_000, 1_700_000_000);
  }
}

test('equal trees are equal; each difference is found', { skip: needs }, async (t) => {
  const base = tempDir(t);
  const [a, b] = [join(base, 'a'), join(base, 'b')];
  fs.mkdirSync(a);
  plant(a);
  const fresh = (): void => {
    fs.rmSync(b, { recursive: true, force: true });
    fs.mkdirSync(b);
    plant(b);
  };
  fresh();
  assert.deepEqual(await compareTrees(a, b), []);

  const at = (name: string): string => join(b, name);
  const changes: [string, RegExp, () => void][] = [
    ['contents', /"single": contents, first in .* from 262144/, (): void => poke(at('single'))],
    ['contents of a linked file', /"file": contents/, (): void => poke(at('linked'))],
    ['size', /"single": size/, (): void => fs.truncateSync(at('single'), 5)],
    ['mode', /"dir": mode \(0755 \| 01755\)/, (): void => fs.chmodSync(at('dir'), 0o1755)],
    ['owner', /"symlink": uid \(0 \| 5\)/, (): void => fs.lchownSync(at('symlink'), 5, 0)],
    ['group', /"file": gid/, (): void => fs.chownSync(at('file'), 0, 5)],
    [
      'mtime',
      /"fifo": mtimeNs/,
      (): void => run('touch', '-d', '@1700000000.000000001', at('fifo')),
    ],
    [
      'xattr',
      /"dir": xattr user.color/,
      (): void => run('setfattr', '-x', 'user.color', at('dir')),
    ],
    ['acl', /"dir": xattr .*acl/, (): void => run('setfacl', '-m', 'u:5:r', at('dir'))],
    ['a missing name', /"dir\/deep": only in .*a$/, (): void => fs.rmdirSync(at('dir/deep'))],
    ['an extra name', /"extra": only in .*b$/, (): void => fs.writeFileSync(at('extra'), '')],
    ['root mode', /\(the root\): mode/, (): void => fs.chmodSync(b, 0o700)],
    ['symlink target', /"symlink": target/, (): void => relink(at('symlink'))],
    ['device', /"device": rdev/, (): void => renode(at('device'))],
    ['links', /"linked": firstName/, (): void => unlink(at('file'), at('linked'))],
  ];
  for (const [what, expected, change] of changes) {
    fresh();
    change();
    const found = await compareTrees(a, b);
    assert.ok(
      found.some((line) => expected.test(line)),
      `${what}: ${expected} not in ${found.join('; ')}`,
    );
  }
});

function poke(path: string): void {
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, 'b', CHUNK_BYTES + 5);
  fs.closeSync(fd);
}

function relink(path: string): void {
  fs.rmSync(path);
  fs.symlinkSync('single', path);
}

function renode(path: string): void {
  fs.rmSync(path);
  run('mknod', path, 'c', '1', '5');
}

function unlink(file: string, linked: string): void {
  fs.rmSync(linked);
  fs.copyFileSync(file, linked);
}

test('getfattr output with odd names is read back byte by byte', () => {
  const text = '# file: .\nuser.a=0x01\n\n# file: od\\012d\\377\nuser.b=0x\n\n';
  assert.deepEqual(
    [...parseGetfattr(text)],
    [
      ['', { 'user.a': '0x01' }],
      ['od\nd\u00ff', { 'user.b': '0x' }],
    ],
  );
});
