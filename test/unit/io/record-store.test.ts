import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  decodeRecord,
  encodeRecord,
  RECORD_LABELS,
  RecordStore,
} from '../../../src/io/record-store.js';
import { systemDisk } from '../../../src/io/system-disk.js';
import type { LabelledDisk } from '../../../src/io/ports.js';
import type { NodeRecord } from '../../../src/io/record-types.js';
import { id, record } from '../core/fixtures.js';

function stateDir(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'twinfs-t-record-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The real disk, on which the call with one label fails; the labels are noted in order. */
function failingDisk(label: string | null, seen: string[] = []): LabelledDisk {
  const at = (name: string): void => {
    seen.push(name);
    if (name === label) throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
  };
  return {
    async read(name, path) {
      at(name);
      return systemDisk.read(name, path);
    },
    async create(name, path) {
      at(name);
      const file = await systemDisk.create(name, path);
      return {
        async write(writeName, data) {
          at(writeName);
          await file.write(writeName, data);
        },
        async sync(syncName) {
          at(syncName);
          await file.sync(syncName);
        },
        async close(closeName) {
          await file.close(closeName);
          at(closeName);
        },
      };
    },
    async rename(name, from, to) {
      at(name);
      await systemDisk.rename(name, from, to);
    },
    async syncDirectory(name, path) {
      at(name);
      await systemDisk.syncDirectory(name, path);
    },
  };
}

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    (error as { code?: string }).code === code;

test('there is none, then it is what was saved, readable by its owner only', async (t) => {
  const directory = stateDir(t);
  const store = new RecordStore(directory, systemDisk);
  assert.equal(await store.load(), null);
  await store.save(record());
  assert.deepEqual(await store.load(), record());
  assert.equal(statSync(store.path).mode & 0o777, 0o600);
  assert.equal(JSON.parse(readFileSync(store.path, 'utf8')).record.directory, '/srv/data');
});

test('saves take place in the order of the calls', async (t) => {
  const store = new RecordStore(stateDir(t), systemDisk);
  const records = Array.from({ length: 10 }, (_, i) => record({ current: id(`d${i}`) }));
  await Promise.all(records.map((one) => store.save(one)));
  assert.equal((await store.load())?.current, id('d9'));
});

test('the order of the disk calls: nothing is renamed before it is durable', async (t) => {
  const seen: string[] = [];
  await new RecordStore(stateDir(t), failingDisk(null, seen)).save(record());
  assert.deepEqual(seen, [
    RECORD_LABELS.create,
    RECORD_LABELS.write,
    RECORD_LABELS.sync,
    RECORD_LABELS.close,
    RECORD_LABELS.rename,
    RECORD_LABELS.syncDirectory,
  ]);
});

test('whichever disk call fails, the save says so and the file is the old or the new record', async (t) => {
  const next = record({ current: id('c1') });
  for (const label of Object.values(RECORD_LABELS).filter((name) => name !== RECORD_LABELS.read)) {
    const directory = stateDir(t);
    await new RecordStore(directory, systemDisk).save(record());
    const store = new RecordStore(directory, failingDisk(label));
    await assert.rejects(store.save(next), hasCode('record-write'), label);
    const left = await new RecordStore(directory, systemDisk).load();
    const isNew = label === RECORD_LABELS.syncDirectory;
    assert.deepEqual(left, isNew ? next : record(), label);
    // A failed save does not stand in the way of the next one.
    await new RecordStore(directory, systemDisk).save(next);
  }
});

test('a failed save does not break the one behind it', async (t) => {
  let failures = 1;
  const disk: LabelledDisk = {
    ...systemDisk,
    rename: (label, from, to) =>
      failures-- > 0 ? Promise.reject(new Error('once')) : systemDisk.rename(label, from, to),
  };
  const store = new RecordStore(stateDir(t), disk);
  const first = store.save(record());
  const second = store.save(record({ current: id('c1') }));
  await assert.rejects(first, hasCode('record-write'));
  await second;
  assert.equal((await store.load())?.current, id('c1'));
});

test('a file that cannot be read is not "there is none"', async (t) => {
  const store = new RecordStore(stateDir(t), failingDisk(RECORD_LABELS.read));
  await assert.rejects(store.load(), hasCode('record-unreadable'));
  const directory = stateDir(t);
  mkdirSync(join(directory, 'node.json'));
  await assert.rejects(new RecordStore(directory, systemDisk).load(), hasCode('record-unreadable'));
});

test('every torn length and every flipped byte is noticed', () => {
  const whole = encodeRecord(record({ history: [id('b0')] }));
  const isSame = (bytes: Buffer): boolean => {
    try {
      return (
        JSON.stringify(decodeRecord(bytes, 'x')) === JSON.stringify(record({ history: [id('b0')] }))
      );
    } catch (error) {
      assert.ok(['record-torn', 'record-format'].includes((error as { code: string }).code));
      return true;
    }
  };
  // The final newline carries nothing; a flipped blank between tokens carries nothing either.
  for (let length = 0; length < whole.length - 1; length += 1) {
    assert.throws(() => decodeRecord(whole.subarray(0, length), 'x'), hasCode('record-torn'));
  }
  for (let i = 0; i < whole.length; i += 1) {
    for (const bit of [1, 4, 64]) {
      const bytes = Buffer.from(whole);
      bytes[i] = (bytes[i] ?? 0) ^ bit;
      assert.ok(isSame(bytes), `byte ${i} bit ${bit} changes the record unnoticed`);
    }
  }
});

test('an edited record, a strange value and another format are refused by name', () => {
  const edited = encodeRecord(record()).toString().replace('"Primary"', '"Secondary"');
  assert.throws(() => decodeRecord(Buffer.from(edited), 'x'), hasCode('record-torn'));
  const strange = encodeRecord({ ...record(), mode: 'sometimes' } as unknown as NodeRecord);
  assert.throws(() => decodeRecord(strange, 'x'), /field mode/);
  const short = encodeRecord(record({ base: 'c0' }));
  assert.throws(() => decodeRecord(short, 'x'), /field base/);
  const later = encodeRecord(record()).toString().replace('"format": 1', '"format": 2');
  assert.throws(() => decodeRecord(Buffer.from(later), 'x'), hasCode('record-format'));
});

test('a half-written temporary file of an earlier crash is in nobody’s way', async (t) => {
  const directory = stateDir(t);
  writeFileSync(join(directory, 'node.json.new'), '{"half":');
  const store = new RecordStore(directory, systemDisk);
  assert.equal(await store.load(), null);
  await store.save(record());
  assert.deepEqual(await store.load(), record());
});
