/**
 * Two copies that may both hold something the other lacks, and directories that are not what their
 * record says: refused, each with a named override, and the override does what it says.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { freePort } from '../helpers/free-port.js';
import { startPair, TestNode, type Pair } from '../helpers/node-process.js';
import { assertRefused } from '../helpers/refused.js';
import { missing } from '../helpers/requires.js';
import { must } from '../helpers/shell.js';
import type { Cleanup } from '../helpers/temp-dir.js';
import { waitForEqualTrees } from '../helpers/tree-compare.js';

const MARK = 'trusted.twinfs';
const SHORT = ['-o', 'peer_timeout=500ms'];
const needs = { skip: missing({ fuse: true, addon: true, commands: ['setfattr'] }) };

const write = (node: TestNode, name: string, text = name): void =>
  fs.writeFileSync(join(node.directory, name), text);
const names = (node: TestNode): string[] => fs.readdirSync(node.directory).sort();

/** The primary stands alone for this reason; both daemons go on. */
async function standsAlone(node: TestNode, rule: string, ...texts: RegExp[]): Promise<void> {
  const status = await node.waitStatus(rule, (s) => s.link === 'StandAlone');
  assert.equal(status.rule, rule);
  for (const text of texts) assert.match(status.reason ?? '', text);
}

/** Both were Primary at a time, each with a change of its own; the secondary's is still mounted. */
async function splitPair(context: Cleanup): Promise<Pair> {
  const pair = await startPair(context, { mountArgs: SHORT, serveArgs: SHORT });
  const { primary, secondary } = pair;
  write(primary, 'common');
  const refused = await secondary.run('promote');
  assertRefused(refused, 'refused', /primary is connected and answers.*--force/);
  await secondary.promote(['--force']);
  await primary.waitStatus('the loss', (s) => s.replication === 'Off');
  write(primary, 'only-a');
  write(secondary, 'only-b');
  return pair;
}

describe('two primaries', needs, () => {
  test('split brain: refused for both words, then settled on the serving side', async (t) => {
    const { primary: a, secondary: b, port } = await splitPair(t);
    const back = await freePort();
    // Neither is overwritten because it happens to be the one that serves.
    await b.must('umount');
    await b.serve(port);
    await a.must('connect');
    await standsAlone(a, 'split-brain', /--discard-mine/, /--overwrite-peer/);
    assert.deepEqual(names(a), ['common', 'only-a']);
    assert.deepEqual(names(b), ['common', 'only-b']);
    // The other way round as well: b wins, by the word on a.
    await b.must('stop');
    await a.must('umount');
    await a.serve(back);
    const again = await b.run('mount');
    assertRefused(again, 'refused', /twinfs serve.*twinfs promote/);
    await b.serve(port);
    await b.promote(['--peer', `127.0.0.1:${back}`]);
    await standsAlone(b, 'split-brain', /--discard-mine/);
    assert.deepEqual(names(a), ['common', 'only-a']);
    await a.must('stop');
    await a.serve(back, ['--discard-mine']);
    await b.must('connect');
    await b.waitEstablished();
    await waitForEqualTrees(a.directory, b.directory);
    assert.deepEqual(names(a), ['common', 'only-b']);
  });

  test('split brain: settled on the primary, and the word is good once', async (t) => {
    const { primary: a, secondary: b, port } = await splitPair(t);
    await b.must('umount');
    await b.serve(port);
    await a.must('connect');
    await standsAlone(a, 'split-brain');
    await a.must('connect', ['--overwrite-peer']);
    await a.waitEstablished();
    await waitForEqualTrees(a.directory, b.directory);
    assert.deepEqual(names(b), ['common', 'only-a']);
    // The next split brain needs its own word.
    await b.promote(['--force']);
    await a.waitStatus('the loss', (s) => s.replication === 'Off');
    write(a, 'later-a');
    write(b, 'later-b');
    await b.must('umount');
    await b.serve(port);
    await standsAlone(a, 'split-brain');
  });

  test('each dials the other while both are mounted: nobody listens, both go on', async (t) => {
    const { primary: a, secondary: b, port } = await splitPair(t);
    await b.must('connect', ['--peer', `127.0.0.1:${port}`]);
    const alone = await b.waitStatus('the reason', (s) => /cannot be reached/.test(s.reason ?? ''));
    assert.equal(alone.service, 'ALONE');
    assert.equal((await a.quickStatus()).service, 'ALONE');
  });
});

describe('a source that must not be one', needs, () => {
  test('older than its target: refused, and the promoted data survives', async (t) => {
    const { primary: a, secondary: b, port } = await startPair(t, { mountArgs: SHORT });
    write(a, 'common');
    await a.must('flush');
    await a.kill();
    await b.promote();
    write(b, 'newer');
    await b.must('umount');
    await b.serve(port);
    // a comes back as if nothing had happened.
    await a.mount(['--peer', `127.0.0.1:${port}`, ...SHORT]);
    await standsAlone(a, 'source-older', /newer data; promote the peer/, /--overwrite-peer/);
    assert.deepEqual(names(b), ['common', 'newer']);
    const result = await a.run('mount', ['--require-peer', '--peer', `127.0.0.1:${port}`]);
    assertRefused(result, 'alreadyMounted');
    await a.must('umount');
    const required = ['--require-peer', '--peer', `127.0.0.1:${port}`];
    assertRefused(await a.run('mount', required), 'refused', /newer data.*--overwrite-peer/);
    // The override that is named.
    await a.mount(['--peer', `127.0.0.1:${port}`, '--overwrite-peer', '--wait-synced']);
    assert.deepEqual(names(b), ['common']);
  });

  test('empty before a peer that is not', async (t) => {
    const { primary: a, secondary: b, port } = await startPair(t);
    write(a, 'precious');
    await a.must('umount');
    // Somebody lost the directory: a new one, a new state.
    const c = new TestNode(t, 'new');
    await c.mount(['--peer', `127.0.0.1:${port}`]);
    await c.waitStatus('the refusal', (s) => s.link === 'StandAlone');
    assert.deepEqual(names(b), ['precious']);
    await c.must('umount');
    // And the same mirror with nothing in it any more.
    fs.rmSync(join(a.directory, 'precious'));
    await a.mount(['--peer', `127.0.0.1:${port}`]);
    await standsAlone(a, 'empty-source', /is the right filesystem mounted/, /--overwrite-peer/);
    assert.deepEqual(names(b), ['precious']);
    await a.must('connect', ['--overwrite-peer']);
    await a.waitEstablished();
    assert.deepEqual(names(b), []);
  });

  test('an unmounted filesystem: the mark is missing', async (t) => {
    const { primary: a, port } = await startPair(t, {
      seed: (d) => fs.writeFileSync(join(d, 'x'), ''),
    });
    await a.must('umount');
    const aside = `${a.directory}.aside`;
    fs.renameSync(a.directory, aside);
    fs.mkdirSync(a.directory);
    const peer = ['--peer', `127.0.0.1:${port}`];
    const result = await a.run('mount', peer);
    assertRefused(result, 'refused', /is its filesystem mounted\?.*--force/);
    assert.equal(a.isMounted(), false);
    // With the word it is the same mirror, empty: the peer is still not emptied.
    await a.mount([...peer, '--force']);
    await standsAlone(a, 'empty-source');
    await a.must('umount');
    fs.rmdirSync(a.directory);
    fs.renameSync(aside, a.directory);
    await a.mount([...peer, '--wait-synced', '--force']);
  });
});

describe('record and directory do not fit', needs, () => {
  test('a torn record, on either node', async (t) => {
    const { primary: a, secondary: b, port } = await startPair(t, { mode: 'sync' });
    write(a, 'data');
    await a.must('umount');
    await b.must('stop');
    for (const node of [a, b]) {
      const path = join(node.state, 'node.json');
      const text = fs.readFileSync(path, 'utf8');
      fs.writeFileSync(path, text.replace('"wentAlone": false', '"wentAlone": true'));
    }
    const torn = /node\.json is damaged \(checksum\).*--force/;
    const peer = ['--peer', `127.0.0.1:${port}`];
    const listen = ['--listen', `127.0.0.1:${port}`];
    assertRefused(await b.run('serve', listen), 'badState', torn);
    assertRefused(await a.run('mount', peer), 'badState', torn);
    assert.deepEqual([names(a), names(b)], [['data'], ['data']]);
    await b.serve(port, ['--force']);
    await a.mount([...peer, '--force', '--wait-synced']);
    await waitForEqualTrees(a.directory, b.directory);
    assert.deepEqual(names(b), ['data']);
  });

  test('a mark that is gone, damaged, or of another generation', async (t) => {
    const { primary: a, port } = await startPair(t);
    const peer = ['--peer', `127.0.0.1:${port}`];
    write(a, 'data');
    await a.must('umount');
    must('setfattr', '-x', MARK, a.directory);
    assertRefused(await a.run('mount', peer), 'refused', /does not carry the mark.*--force/);
    await a.mount([...peer, '--force', '--wait-synced']);
    await a.must('umount');
    must('setfattr', '-n', MARK, '-v', 'twinfs1 nonsense', a.directory);
    assertRefused(await a.run('mount', peer), 'badState', /setfattr -x.*--force/);
    must('setfattr', '-x', MARK, a.directory);
    await a.mount([...peer, '--force', '--wait-synced']);
    await a.must('umount');
    // A state directory from a backup: what it says is not what is there.
    const backup = `${a.state}.backup`;
    fs.cpSync(a.state, backup, { recursive: true });
    await a.mount();
    write(a, 'alone');
    await a.must('umount');
    fs.rmSync(a.state, { recursive: true });
    fs.renameSync(backup, a.state);
    const stale = await a.run('mount', peer);
    assertRefused(stale, 'refused', /not in the state that was recorded.*--force/);
    await a.mount([...peer, '--force']);
    // Its ancestors are unknown now: who is newer is not guessed.
    await standsAlone(a, 'unrelated', /no generation in common/, /--overwrite-peer/);
    await a.must('connect', ['--overwrite-peer']);
    await a.waitEstablished();
  });

  test('the state of another mirror, and of the other node', async (t) => {
    const one = await startPair(t);
    const two = await startPair(t);
    write(one.primary, 'one');
    write(two.primary, 'two');
    for (const { primary, secondary } of [one, two]) {
      await primary.must('umount');
      await secondary.must('stop');
    }
    const swapped = await one.primary.run('mount', ['--state', two.primary.state]);
    assert.equal(swapped.code, 2, 'one state only');
    const swap = (x: TestNode, y: TestNode): void => {
      fs.renameSync(x.state, `${x.state}.swap`);
      fs.renameSync(y.state, x.state);
      fs.renameSync(`${x.state}.swap`, y.state);
    };
    swap(one.primary, two.primary);
    const other = await one.primary.run('mount');
    assertRefused(other, 'refused', /another mirror than the state directory.*--force/);
    swap(one.primary, two.primary);
    swap(one.primary, one.secondary);
    const wrong = await one.secondary.run('mount');
    assertRefused(wrong, 'refused', /the other node's copy.*--force/);
    swap(one.primary, one.secondary);
    await one.secondary.serve(one.port);
    await one.primary.mount(['--peer', `127.0.0.1:${one.port}`, '--wait-synced']);
    assert.deepEqual(names(one.secondary), ['one']);
  });

  test('promote of a copy that is not whole: refused, with --force as it is', async (t) => {
    const port = await freePort();
    const fresh = new TestNode(t, 'fresh');
    write(fresh, 'whatever');
    await fresh.serve(port);
    const result = await fresh.run('promote');
    assertRefused(result, 'refused', /this copy is Inconsistent .*--force takes it as it is/);
    assert.equal((await fresh.quickStatus()).role, 'Secondary');
    await fresh.promote(['--force']);
    assert.equal((await fresh.quickStatus()).role, 'Primary');
    assert.deepEqual(names(fresh), ['whatever']);
    write(fresh, 'more');
    await fresh.must('umount');
  });
});
