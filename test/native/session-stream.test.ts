/** The stream: every change once, in order, by refs that are bound before their first use. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT_REF } from '../../src/op/op.js';
import { waitFor } from '../helpers/wait-for.js';
import { mountedRig, nameOf, skip, type Rig } from './session-rig.js';

/** Kinds and names of what came, without the bookkeeping nobody waits for. */
const story = (rig: Rig): string[] =>
  rig.changes
    .filter(({ op }) => op.kind !== 'times' && op.kind !== 'forget')
    .map(({ op }) => nameOf(op));

test('an op for every change, in order', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream' });
  await rig.sh(
    [
      'printf hello > f',
      'mkdir d',
      'ln -s target s',
      'mkfifo p',
      'mv f d/g',
      'ln d/g h',
      'truncate -s 3 h',
      'chmod 640 h',
      'setfattr -n user.k -v v h',
      'setfattr -x user.k h',
      'fallocate -l 8192 h',
      'sync h',
      'rm h d/g',
      'rmdir d',
    ].join(' && '),
  );
  assert.deepEqual(story(rig), [
    ...['create f', 'write', 'create d', 'create s', 'create p', 'rename f', 'link h'],
    ...[
      'truncate',
      'setattr',
      'setxattr user.k',
      'removexattr user.k',
      'fallocate',
      'fsync',
      'fsync',
    ],
    ...['unlink h', 'unlink g', 'unlink d'],
  ]);
  const [file, directory, symlink] = rig.ops('create');
  assert.equal(file?.parent, ROOT_REF);
  assert.equal(symlink?.target.toString(), 'target');
  assert.equal(rig.ops('rename')[0]?.newParent, directory?.ref);
  assert.equal(rig.ops('write')[0]?.ref, file?.ref);
  assert.equal(rig.ops('write')[0]?.data.toString(), 'hello');
  assert.equal(rig.ops('setattr')[0]?.mode, 0o100640);
  assert.deepEqual(
    rig.ops('unlink').map(({ directory: isDirectory }) => isDirectory),
    [false, false, true],
  );
});

test('what failed locally never appears', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on' });
  const { status } = await rig.run(
    'rmdir nothing; mkdir d; touch d/f; rmdir d; mv missing x; ln missing y; exit 7',
  );
  assert.equal(status, 7);
  assert.deepEqual(story(rig), ['create d', 'create f']);
});

test(
  'existing inodes are bound before use, parents first, once an epoch',
  { skip },
  async (context) => {
    const rig = await mountedRig(context, {
      stream: 'on',
      prepare: (source) => {
        fs.mkdirSync(join(source, 'a/b'), { recursive: true });
        fs.writeFileSync(join(source, 'a/b/f'), 'x');
      },
    });
    await rig.sh('echo 1 >> a/b/f; echo 2 >> a/b/f');
    assert.deepEqual(story(rig), ['bind a', 'bind b', 'bind f', 'write', 'write']);
    const [a, b, f] = rig.ops('bind');
    assert.deepEqual([a?.parent, b?.parent, f?.parent], [ROOT_REF, a?.ref, b?.ref]);
    rig.changes.length = 0;
    rig.engine.setStream('on');
    await rig.sh('echo 3 >> a/b/f');
    assert.deepEqual(story(rig), ['bind a', 'bind b', 'bind f', 'write']);
    assert.equal(rig.ops('bind')[2]?.ref, f?.ref);
  },
);

/** A shell that holds `file` open and does what it is told, line by line. */
async function opener(rig: Rig, file: string) {
  const shell = spawn('sh', ['-c', `exec 3<>${file}; echo open; exec sh`], {
    cwd: rig.mountpoint,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  rig.children.add(shell);
  const answer = (): Promise<unknown> =>
    new Promise((resolve) => shell.stdout.once('data', resolve));
  await answer();
  return (script: string): Promise<unknown> => {
    const done = answer();
    shell.stdin.write(`${script}; echo done\n`);
    return done;
  };
}

test('an open file that loses its name still reaches the peer', { skip }, async (context) => {
  const rig = await mountedRig(context, {
    stream: 'on',
    by: 'stream',
    prepare: (source) => ['f', 'g'].forEach((name) => fs.writeFileSync(join(source, name), 'x')),
  });
  const onFile = await opener(rig, 'f');
  const onOther = await opener(rig, 'g');
  await rig.sh('rm f');
  await onFile('echo one >&3');
  await rig.sh('touch new; mv new g');
  await onOther('echo two >&3');
  assert.deepEqual(story(rig), [
    ...['bind f', 'unlink f', 'write', 'create new', 'bind g', 'rename new', 'write'],
  ]);
  const [first, second] = rig.ops('bind');
  assert.deepEqual(
    rig.ops('write').map(({ ref }) => ref),
    [first?.ref, second?.ref],
  );
});

test('a file without a name is nobody elses in a later epoch', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream' });
  await rig.sh('echo x > f');
  const onFile = await opener(rig, 'f');
  await rig.sh('rm f');
  rig.engine.setStream('on');
  rig.changes.length = 0;
  await onFile('echo more >&3');
  assert.deepEqual(story(rig), []);
  assert.equal(rig.engine.counters().pendingAnswers, 0);
});

test('a caller is answered by complete, with its errno', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream', answering: false });
  const good = rig.run('mkdir good');
  await waitFor('the first change', () => rig.waiting().length === 1);
  assert.equal(rig.engine.counters().pendingAnswers, 1);
  rig.engine.complete(rig.waiting(), 0);
  assert.equal((await good).status, 0);
  const bad = rig.run('mkdir good/bad');
  await waitFor('the second change', () => rig.changes.length >= 2);
  const tokens = rig.changes.map(({ token }) => token).filter((token) => token !== 0);
  rig.engine.complete([...tokens, 12_345_678], 5);
  const result = await bad;
  assert.notEqual(result.status, 0);
  assert.match(result.output, /Input\/output error/);
  assert.equal(rig.engine.counters().pendingAnswers, 0);
});

test('locally answered changes carry no token', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'local', answering: false });
  await rig.sh('echo x > f; sync f; rm f');
  assert.ok(rig.changes.length >= 4);
  assert.ok(rig.changes.every(({ token }) => token === 0));
});

test('large payloads arrive whole, and the budget comes back whole', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream' });
  await rig.sh(
    'dd if=/dev/urandom of=f bs=1M count=4 2>/dev/null && dd if=/dev/urandom of=f bs=100k count=5 oflag=append conv=notrunc 2>/dev/null',
  );
  const copy = Buffer.alloc(fs.statSync(join(rig.source, 'f')).size);
  for (const { data, offset } of rig.ops('write')) data.copy(copy, offset);
  assert.ok(copy.equals(fs.readFileSync(join(rig.source, 'f'))));
  await rig.settle();
  assert.equal(rig.engine.counters().handoffBytes, 0);
});

test('when the hand-over is full writers wait, and readers do not', { skip }, async (context) => {
  const rig = await mountedRig(context, {
    stream: 'on',
    by: 'local',
    answering: false,
    mount: { handoffBytesMax: 256 * 1024 },
    // Files that are there already: making one would hold the directory's lock while it waits.
    prepare: (source) => {
      for (let index = 0; index < 12; index += 1) fs.writeFileSync(join(source, `f${index}`), '');
      fs.writeFileSync(join(source, 'old'), 'readable');
    },
  });
  const writers = Array.from({ length: 12 }, (_, index) =>
    rig.run(`dd if=/dev/zero of=f${index} bs=64k count=8 conv=notrunc 2>/dev/null`),
  );
  await waitFor('the hand-over to be full', () => rig.engine.counters().handoffBytes >= 256 * 1024);
  assert.equal(await rig.sh('cat old'), 'readable');
  assert.ok(rig.engine.counters().handoffBytes < 4 * 1024 * 1024);
  let credited = 0;
  let finished = false;
  void Promise.all(writers).then(() => (finished = true));
  await waitFor('all writers', () => {
    for (; credited < rig.changes.length; credited += 1) {
      rig.engine.credit(rig.changes[credited]?.bytes ?? 0);
    }
    return finished;
  });
  assert.ok((await Promise.all(writers)).every(({ status }) => status === 0));
  assert.equal(rig.ops('write').length, 12 * 8);
});

test('a durable write is a write and an fsync', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on', by: 'stream' });
  await rig.sh('dd if=/dev/zero of=f bs=4k count=1 oflag=dsync 2>/dev/null');
  assert.deepEqual(story(rig), ['create f', 'write', 'fsync']);
  assert.equal(rig.ops('fsync')[0]?.dataOnly, true);
  const write = rig.changes.find(({ op }) => op.kind === 'write');
  assert.equal(write?.token, 0);
});
