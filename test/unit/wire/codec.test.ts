import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  BATCH_OPS_MAX,
  DIR_LIST_ENTRIES_MAX,
  TEXT_BYTES_MAX,
  XATTRS_PER_MESSAGE_MAX,
} from '../../../src/limits.js';
import { decode, encode } from '../../../src/wire/codec.js';
import { initHash } from '../../../src/wire/hash.js';
import type { Message } from '../../../src/wire/messages.js';
import { pb } from '../../../src/wire/proto.js';
import { ProtocolError } from '../../../src/wire/protocol-error.js';

const NOTHING = Buffer.alloc(0);
const buffer = (writer: { finish(): Uint8Array }): Buffer => Buffer.from(writer.finish());

/** The error that a frame of `type` with this message and payload gives. */
function refused(type: number, message: Buffer, payload: Buffer = NOTHING): ProtocolError {
  try {
    decode({ type, message, payload });
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return error;
  }
  assert.fail('it was accepted');
}

const HELLO = {
  protocol: 1,
  features: Buffer.alloc(8),
  mirrorId: Buffer.alloc(8),
  nodeId: Buffer.alloc(8),
  instance: Buffer.alloc(8),
  role: pb.Role.PRIMARY,
  data: pb.DataState.UP_TO_DATE,
  current: Buffer.alloc(8),
  base: Buffer.alloc(8),
  mode: pb.Mode.SYNC,
};
const META = { mode: 0o100644 };
const { Kind } = pb.Op;
const name = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('what is refused in an op', () => {
  before(initHash);
  const named = { ref: 2, parent: 1, name: name('a') };
  const cases: readonly [string, pb.Op.$Properties, RegExp][] = [
    ['no kind', { ref: 2 }, /ops\[0\]\.kind: no meaning for 0/],
    ['an unknown kind', { kind: 99 as pb.Op.Kind, ref: 2 }, /kind: no meaning for 99/],
    ['a negative kind', { kind: -1 as pb.Op.Kind, ref: 2 }, /kind: no meaning for -1/],
    ['ref 0', { kind: Kind.FSYNC }, /ops\[0\]\.ref: missing or 0/],
    ['ref 2^53', { kind: Kind.FSYNC, ref: 2 ** 53 }, /ref: not a whole number below 2\^53/],
    ['parent 0', { kind: Kind.UNLINK, name: name('a') }, /parent: missing/],
    ['an empty name', { ...named, kind: Kind.LINK, name: NOTHING }, /name: an empty name/],
    ['the name .', { ...named, kind: Kind.LINK, name: name('.') }, /name: a name '\.' or/],
    ['the name ..', { ...named, kind: Kind.BIND, name: name('..') }, /name: a name '\.' or/],
    ['a name with /', { ...named, kind: Kind.LINK, name: name('a/b') }, /name with a '\/'/],
    ['a name with NUL', { ...named, kind: Kind.LINK, name: name('a\0') }, /name with a NUL/],
    ['256 bytes of name', { ...named, kind: Kind.LINK, name: Buffer.alloc(256, 97) }, /longer/],
    [
      'a new name ..',
      { kind: Kind.RENAME, parent: 1, name: name('a'), newParent: 1, newName: name('..') },
      /newName: a name/,
    ],
    [
      'no new parent',
      { kind: Kind.RENAME, parent: 1, name: name('a'), newName: name('b') },
      /newParent: missing/,
    ],
    [
      'unknown rename flags',
      { ...named, kind: Kind.RENAME, newParent: 1, newName: name('b'), flags: 8 },
      /flags: more than 7/,
    ],
    ['unknown write flags', { kind: Kind.WRITE, ref: 2, flags: 2 }, /flags: more than 1/],
    ['a write without its bytes', { kind: Kind.WRITE, ref: 2, length: 1 }, /length: more than/],
    [
      'a range beyond 2^53',
      { kind: Kind.FALLOCATE, ref: 2, offset: 2 ** 53 - 1, length: 1 },
      /offset: not a whole/,
    ],
    ['a created file without type', { ...named, kind: Kind.CREATE, mode: 0o644 }, /0o644 is no/],
    ['a created unknown type', { ...named, kind: Kind.CREATE, mode: 0o150000 }, /is no type/],
    ['bits above st_mode', { ...named, kind: Kind.CREATE, mode: 0o300644 }, /is no type/],
    ['a symlink without target', { ...named, kind: Kind.CREATE, mode: 0o120777 }, /missing/],
    [
      'a file with target',
      { ...named, kind: Kind.CREATE, mode: 0o100644, value: name('t') },
      /no symlink/,
    ],
    [
      'a target with NUL',
      { ...named, kind: Kind.CREATE, mode: 0o120777, value: name('a\0b') },
      /value: holds a NUL/,
    ],
    [
      'a target of 4097 bytes',
      { ...named, kind: Kind.CREATE, mode: 0o120777, value: Buffer.alloc(4097, 97) },
      /longer than a symlink/,
    ],
    ['an empty xattr name', { kind: Kind.REMOVEXATTR, ref: 2 }, /name: not 1 to 255/],
    ['an xattr name with NUL', { kind: Kind.REMOVEXATTR, ref: 2, name: name('a\0') }, /NUL/],
    [
      'an xattr value too long',
      { kind: Kind.SETXATTR, ref: 2, name: name('a'), value: Buffer.alloc(65_537) },
      /value: longer/,
    ],
    [
      'a billion nanoseconds',
      { kind: Kind.TIMES, ref: 2, mtimeSeconds: 1, mtimeNanos: 1_000_000_000 },
      /mtime: not a time/,
    ],
    [
      'a time beyond 64 bits',
      { kind: Kind.TIMES, ref: 2, atimeSeconds: 9_300_000_000 },
      /atime: a time beyond/,
    ],
    ['an unknown barrier', { kind: Kind.BARRIER, why: 'x', streamMode: 1 }, /why: no meaning/],
    ['a barrier without mode', { kind: Kind.BARRIER, why: 'flush' }, /streamMode: no meaning/],
  ];
  for (const [what, op, text] of cases) {
    test(what, () => {
      const error = refused(4, buffer(pb.OpBatch.encode({ firstSeq: 1, ops: [op] })));
      assert.equal(error.code, 'bad-message');
      assert.match(error.message, text);
    });
  }

  test('the place of the op is named', () => {
    const good = { kind: Kind.FSYNC, ref: 1 };
    const batch = pb.OpBatch.encode({ firstSeq: 1, ops: [good, good, { kind: Kind.FSYNC }] });
    assert.match(refused(4, buffer(batch)).message, /ops message: ops\[2\]\.ref/);
  });
});

describe('what is refused in a batch', () => {
  before(initHash);
  const write = { kind: Kind.WRITE, ref: 2, length: 4 };
  const fsync = { kind: Kind.FSYNC, ref: 2 };

  test('no ops', () => {
    assert.match(refused(4, buffer(pb.OpBatch.encode({ firstSeq: 1 }))).message, /ops: none/);
  });

  test('seq 0, and one that is not exact', () => {
    for (const firstSeq of [0, 2 ** 53, 2 ** 60]) {
      const batch = buffer(pb.OpBatch.encode({ firstSeq, ops: [fsync] }));
      assert.match(refused(4, batch).message, /firstSeq/);
    }
  });

  test('more payload than the writes have', () => {
    const batch = buffer(pb.OpBatch.encode({ firstSeq: 1, ops: [write] }));
    assert.match(refused(4, batch, Buffer.alloc(5)).message, /payload: not as long/);
    assert.match(refused(4, batch, Buffer.alloc(3)).message, /length: more than/);
    assert.equal(decode({ type: 4, message: batch, payload: Buffer.alloc(4) }).type, 'ops');
  });

  test('too many ops, before they become objects', () => {
    const ops = Array.from({ length: BATCH_OPS_MAX + 1 }, () => fsync);
    assert.match(refused(4, buffer(pb.OpBatch.encode({ firstSeq: 1, ops }))).message, /more than/);
  });

  test('an op longer than the message', () => {
    const batch = buffer(pb.OpBatch.encode({ firstSeq: 1, ops: [fsync] }));
    assert.equal(refused(4, batch.subarray(0, batch.length - 1)).code, 'bad-message');
  });
});

describe('what is refused elsewhere', () => {
  before(initHash);

  test('an unknown type', () => {
    const error = refused(99, NOTHING);
    assert.equal(error.code, 'unknown-type');
    assert.match(error.message, /99/);
  });

  const hello = (more: pb.Hello.$Properties): ProtocolError =>
    refused(1, buffer(pb.Hello.encode({ ...HELLO, ...more })));

  test("another protocol's Hello, whatever else it says", () => {
    const error = hello({
      protocol: 2,
      software: 'twinfs 3.0.0',
      role: 77 as pb.Role,
      nodeId: NOTHING,
    });
    assert.equal(error.code, 'wrong-version');
    assert.match(error.message, /twinfs 3\.0\.0.*protocol 2.*protocol 1/);
  });

  test('unknown feature bits', () => {
    const error = hello({ features: Buffer.from('0000000000000004', 'hex') });
    assert.equal(error.code, 'wrong-version');
    assert.match(error.message, /0x4/);
  });

  test('a Hello with a field out of bounds', () => {
    assert.match(hello({ nodeId: Buffer.alloc(7) }).message, /node_id: not an id/);
    assert.match(hello({ role: 0 }).message, /role: no meaning for 0/);
    assert.match(hello({ data: 9 as pb.DataState }).message, /data: no meaning for 9/);
    assert.match(hello({ bootId: 'b'.repeat(129) }).message, /boot_id: longer/);
    const history = Array.from({ length: 33 }, () => Buffer.alloc(8));
    assert.match(hello({ history }).message, /more than 32/);
  });

  test('watermarks out of order', () => {
    const ack = (more: pb.Ack.$Properties): string =>
      refused(5, buffer(pb.Ack.encode(more))).message;
    assert.match(ack({ received: 1, applied: 2 }), /applied: beyond received/);
    assert.match(ack({ received: 2, applied: 1, durable: 2 }), /durable: beyond applied/);
    assert.match(ack({ received: 2 ** 54 }), /received: not a whole/);
  });

  test('a payload with a message that has none', () => {
    const ping = buffer(pb.Ping.encode({ number: 1 }));
    assert.match(refused(6, ping, Buffer.alloc(1)).message, /payload: not expected/);
    assert.match(refused(5, NOTHING, Buffer.alloc(1)).message, /payload: not expected/);
  });

  const dirList = (more: pb.DirList.$Properties): ProtocolError =>
    refused(16, buffer(pb.DirList.encode({ self: { mode: 0o040755 }, ...more })));

  for (const path of ['/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a/.', '../a', 'a\0b', '/']) {
    test(`the path ${JSON.stringify(path)}`, () => {
      assert.match(dirList({ path: name(path) }).message, /path: a/);
    });
  }

  test('a path too long, or with a component too long', () => {
    assert.match(dirList({ path: Buffer.alloc(65_537, 97) }).message, /path: longer/);
    assert.match(dirList({ path: Buffer.alloc(300, 97) }).message, /longer than 255/);
  });

  test('entries: count, names, xattrs', () => {
    const entry = { name: name('a'), meta: META };
    const entries = Array.from({ length: DIR_LIST_ENTRIES_MAX + 1 }, () => entry);
    assert.match(dirList({ entries }).message, /more than 1000/);
    assert.match(dirList({ entries: [{ ...entry, name: name('..') }] }).message, /\[0\]\.name/);
    assert.match(
      dirList({ entries: [{ name: name('a') }] }).message,
      /entries\[0\]\.meta: missing/,
    );
    const xattrs = Array.from({ length: XATTRS_PER_MESSAGE_MAX / 2 + 1 }, () => ({}));
    const two = [0, 1].map(() => ({ ...entry, meta: { ...META, xattrs } }));
    assert.match(dirList({ entries: two }).message, /field 4\.2\.9: more than/);
  });

  test('a DirList without its directory', () => {
    const message = buffer(pb.DirList.encode({ id: 1 }));
    assert.match(refused(16, message).message, /self: missing/);
  });

  test('hashes that are no whole number of hashes', () => {
    const message = buffer(pb.FileHashes.encode({ id: 1, hashes: Buffer.alloc(12) }));
    assert.match(refused(19, message).message, /hashes: no multiple of 8/);
  });

  test('zeros and data at once', () => {
    const message = buffer(pb.FileData.encode({ id: 1, zeros: 1 }));
    assert.match(refused(20, message, Buffer.alloc(1)).message, /zeros: given together/);
  });

  test('an unknown decision', () => {
    const message = buffer(pb.Decision.encode({ kind: 'guess', mirrorId: Buffer.alloc(8) }));
    assert.match(refused(3, message).message, /kind: no meaning/);
  });
});

describe('encoding', () => {
  before(initHash);

  test('large payloads are not copied, small ones share the first part', () => {
    const write = (data: Buffer) =>
      ({ kind: 'write', ref: 1, offset: 0, data, killPriv: false }) as const;
    const [small, large] = [Buffer.alloc(4096, 1), Buffer.alloc(65_536, 2)];
    const ops = [small, large, small].map(write);
    const parts = encode({ type: 'ops', firstSeq: 1, ops }, { checksum: true });
    assert.equal(parts.length, 3);
    assert.equal(parts[1], large);
    const copied = encode({ type: 'ops', firstSeq: 1, ops: ops.slice(0, 1) }, { checksum: true });
    assert.equal(copied.length, 1);
  });

  test('frames encoded one after the other do not share bytes', () => {
    const ping = (number: number): Message => ({ type: 'ping', number });
    const first = Buffer.concat(encode(ping(1), { checksum: true }));
    const kept = encode(ping(1), { checksum: true });
    for (let at = 0; at < 5000; at += 1) encode(ping(at), { checksum: true });
    assert.deepEqual(Buffer.concat(kept), first);
  });

  test('a long sentence is cut, not refused, and stays valid text', () => {
    for (const letter of ['x', 'é', '€', '𐀀']) {
      const text = letter.repeat(2 * TEXT_BYTES_MAX);
      const [head] = encode({ type: 'refuse', code: 'c', text }, { checksum: false });
      assert.ok(head !== undefined);
      const got = decode({ type: 2, message: head.subarray(28), payload: NOTHING });
      assert.equal(got.type, 'refuse');
      const sent = (got as { text: string }).text;
      assert.ok(Buffer.byteLength(sent) <= TEXT_BYTES_MAX);
      assert.match(sent, new RegExp(`^${letter}+…$`, 'u'));
    }
  });

  test('a number that is not exact is a bug here, not bytes there', () => {
    const op = { kind: 'truncate', ref: 1, size: 1.5, killPriv: false } as const;
    assert.throws(
      () => encode({ type: 'ops', firstSeq: 1, ops: [op] }, { checksum: true }),
      /whole and exact/,
    );
  });
});
