/**
 * Records of the native session become ops; the layout is the comment at the end of io/native.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecords, FLAG, KIND } from '../../../src/engine/records.js';
import { RECORD_HEADER_BYTES } from '../../../src/io/native.js';

interface Fields {
  readonly kind: number;
  readonly flags?: number;
  readonly token?: number;
  readonly ref?: number;
  readonly parent?: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
  readonly d?: number;
  readonly e?: number;
  readonly f?: number;
  readonly g?: bigint;
  readonly h?: bigint;
  readonly parent2?: number;
  readonly name?: string;
  readonly name2?: string;
  readonly data?: string;
}

/** One record as the native side writes it. */
function record(fields: Fields): Buffer {
  const [name, name2, data] = [fields.name, fields.name2, fields.data].map((text) =>
    Buffer.from(text ?? '', 'latin1'),
  ) as [Buffer, Buffer, Buffer];
  const content = Buffer.concat([name, name2, data]);
  const size = Math.ceil((RECORD_HEADER_BYTES + content.length) / 8) * 8;
  const buffer = Buffer.alloc(size);
  buffer.writeUInt32LE(size, 0);
  buffer.writeUInt8(fields.kind, 4);
  buffer.writeUInt8(fields.flags ?? 0, 5);
  buffer.writeUInt16LE(name.length, 6);
  const doubles = ['token', 'ref', 'parent', 'a', 'b'] as const;
  doubles.forEach((key, index) => buffer.writeDoubleLE(fields[key] ?? 0, 8 + 8 * index));
  const words = ['c', 'd', 'e', 'f'] as const;
  words.forEach((key, index) => buffer.writeUInt32LE(fields[key] ?? 0, 48 + 4 * index));
  buffer.writeBigInt64LE(fields.g ?? 0n, 64);
  buffer.writeBigInt64LE(fields.h ?? 0n, 72);
  buffer.writeDoubleLE(fields.parent2 ?? 0, 80);
  buffer.writeUInt32LE(name2.length, 88);
  buffer.writeUInt32LE(data.length, 92);
  content.copy(buffer, RECORD_HEADER_BYTES);
  return buffer;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const decodeOne = (fields: Fields): unknown =>
  decodeRecords({ records: record(fields), large: [] })[0]?.op;

test('namespace ops', () => {
  assert.deepEqual(decodeOne({ kind: KIND.bind, ref: 7, parent: 1, name: 'd\xff' }), {
    kind: 'bind',
    ref: 7,
    parent: 1,
    name: bytes('d\xff'),
  });
  assert.deepEqual(decodeOne({ kind: KIND.forget, ref: 2 ** 50 }), {
    kind: 'forget',
    ref: 2 ** 50,
  });
  assert.deepEqual(
    decodeOne({
      ...{ kind: KIND.create, ref: 9, parent: 7, name: 'l', data: 'to/there' },
      ...{ c: 0o120777, d: 4_294_967_294, e: 5, f: 0x103 },
    }),
    {
      ...{ kind: 'create', ref: 9, parent: 7, name: bytes('l'), target: bytes('to/there') },
      ...{ mode: 0o120777, uid: 4_294_967_294, gid: 5, rdev: 0x103 },
    },
  );
  const place = { ref: 9, parent: 7, name: 'n' };
  assert.deepEqual(decodeOne({ kind: KIND.link, ...place }), {
    kind: 'link',
    ...place,
    name: bytes('n'),
  });
  const removed = { kind: 'unlink', parent: 7, name: bytes('n'), directory: true };
  assert.deepEqual(
    decodeOne({ kind: KIND.unlink, parent: 7, name: 'n', flags: FLAG.directory }),
    removed,
  );
  assert.deepEqual(
    decodeOne({ kind: KIND.rename, parent: 7, name: 'old', parent2: 8, name2: 'newer', f: 2 }),
    {
      ...{ kind: 'rename', parent: 7, name: bytes('old') },
      ...{ newParent: 8, newName: bytes('newer'), flags: 2 },
    },
  );
});

test('data ops', () => {
  assert.deepEqual(
    decodeOne({ kind: KIND.write, ref: 3, a: 2 ** 40, data: 'abc', flags: FLAG.killPriv }),
    { kind: 'write', ref: 3, offset: 2 ** 40, data: bytes('abc'), killPriv: true },
  );
  assert.deepEqual(decodeOne({ kind: KIND.truncate, ref: 3, a: 10 }), {
    ...{ kind: 'truncate', ref: 3, size: 10, killPriv: false },
  });
  assert.deepEqual(decodeOne({ kind: KIND.fallocate, ref: 3, c: 3, a: 4096, b: 8192 }), {
    ...{ kind: 'fallocate', ref: 3, mode: 3, offset: 4096, length: 8192 },
  });
  assert.deepEqual(decodeOne({ kind: KIND.copyRange, parent: 3, a: 1, ref: 4, b: 2, h: 5n }), {
    ...{ kind: 'copyRange', from: 3, fromOffset: 1, ref: 4, offset: 2, length: 5 },
  });
  assert.deepEqual(decodeOne({ kind: KIND.fsync, ref: 3, flags: FLAG.dataOnly }), {
    ...{ kind: 'fsync', ref: 3, dataOnly: true },
  });
});

test('attribute ops', () => {
  assert.deepEqual(decodeOne({ kind: KIND.setattr, ref: 3, c: 0o100644, d: 1, e: 2 }), {
    ...{ kind: 'setattr', ref: 3, mode: 0o100644, uid: 1, gid: 2 },
  });
  assert.deepEqual(decodeOne({ kind: KIND.times, ref: 3, g: -5n, h: 9n }), {
    ...{ kind: 'times', ref: 3, mtime: -5n, atime: null },
  });
  assert.deepEqual(decodeOne({ kind: KIND.times, ref: 3, g: 1n, h: 9n, flags: FLAG.atime }), {
    ...{ kind: 'times', ref: 3, mtime: 1n, atime: 9n },
  });
  assert.deepEqual(decodeOne({ kind: KIND.setxattr, ref: 3, name: 'user.x', data: 'v', f: 1 }), {
    ...{ kind: 'setxattr', ref: 3, name: bytes('user.x'), value: bytes('v'), flags: 1 },
  });
  assert.deepEqual(decodeOne({ kind: KIND.removexattr, ref: 3, name: 'user.x' }), {
    ...{ kind: 'removexattr', ref: 3, name: bytes('user.x') },
  });
});

test('a batch keeps its order, its tokens, its large payloads and what it costs', () => {
  const large = [Buffer.alloc(70_000, 1), Buffer.alloc(80_000, 2)];
  const first = record({ kind: KIND.write, ref: 3, flags: FLAG.large, token: 11 });
  const second = record({ kind: KIND.unlink, parent: 1, name: 'gone', token: 12 });
  const third = record({ kind: KIND.write, ref: 4, flags: FLAG.large | FLAG.killPriv });
  const changes = decodeRecords({ records: Buffer.concat([first, second, third]), large });
  assert.deepEqual(
    changes.map(({ op, token, bytes: cost }) => [op.kind, token, cost]),
    [
      ['write', 11, first.length + 70_000],
      ['unlink', 12, second.length],
      ['write', 0, third.length + 80_000],
    ],
  );
  assert.equal(changes[0]?.op.kind === 'write' && changes[0].op.data, large[0]);
  assert.equal(changes[2]?.op.kind === 'write' && changes[2].op.data, large[1]);
});

test('a payload is a view into the batch, not a copy', () => {
  const records = record({ kind: KIND.write, ref: 3, data: 'abcdef' });
  const [change] = decodeRecords({ records, large: [] });
  assert.equal(change?.op.kind === 'write' && change.op.data.buffer, records.buffer);
});

test('what cannot come from the native side stops the program', () => {
  const message = /assertion failed/;
  assert.throws(() => decodeOne({ kind: 99 }), message);
  const cut = record({ kind: KIND.forget, ref: 1 }).subarray(0, 90);
  assert.throws(() => decodeRecords({ records: cut, large: [] }));
  const missing = record({ kind: KIND.write, ref: 1, flags: FLAG.large });
  assert.throws(() => decodeRecords({ records: missing, large: [] }), message);
  const spare = [Buffer.alloc(1)];
  const small = record({ kind: KIND.forget, ref: 1 });
  assert.throws(() => decodeRecords({ records: small, large: spare }), message);
});
