/**
 * Arbitrary messages of every type, within what the wire allows, for the property tests of the
 * codec.
 */
import fc from 'fast-check';
import type { Op } from '../../src/op/op.js';
import type { Message, MessageType, Meta } from '../../src/wire/messages.js';

/** As the codec makes objects: with the usual prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const whole = fc.oneof(fc.nat(), fc.maxSafeNat());
const positive = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeNat().map((n) => n || 1),
);
/** Two of them add up to a safe integer. */
const half = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 51 }));
const uint32 = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 0xffffffff }));
const bits64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const id = bits64.map((bits) => bits.toString(16).padStart(16, '0'));
const flag = fc.boolean();
const mode = fc.constantFrom('sync' as const, 'semi-sync' as const, 'async' as const);
const word = fc.string({ maxLength: 20 });
const text = fc.string({ maxLength: 60, unit: 'binary' });

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const without =
  (bad: number): ((value: Buffer) => Buffer) =>
  (value) =>
    Buffer.from(value.map((byte) => (byte === bad ? 0x61 : byte)));
const isDots = (value: Buffer): boolean => /^\.\.?$/.test(value.toString('latin1'));

const noNul = (minLength: number, maxLength: number): fc.Arbitrary<Buffer> =>
  bytes(minLength, maxLength).map(without(0));
export const name = fc
  .oneof(noNul(1, 12), noNul(250, 255))
  .map(without(0x2f))
  .filter((value) => !isDots(value));
const path = fc
  .array(name, { maxLength: 4 })
  .map((names) => Buffer.concat(names.flatMap((part, at) => (at === 0 ? [part] : [SLASH, part]))));
const SLASH = Buffer.from('/');

const permissions = fc.integer({ min: 0, max: 0o7777 });
const typeAndTarget = fc.oneof(
  record({
    type: fc.constantFrom(0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o140000),
    target: fc.constant(Buffer.alloc(0)),
  }),
  record({ type: fc.constant(0o120000), target: noNul(1, 40) }),
);

const ref = { ref: positive };
const named = { parent: positive, name };
const kind = <K extends string>(value: K): { kind: fc.Arbitrary<K> } => ({
  kind: fc.constant(value),
});

export const op: fc.Arbitrary<Op> = fc.oneof(
  record({ ...kind('bind'), ...ref, ...named }),
  record({ ...kind('forget'), ...ref }),
  record({
    ...kind('write'),
    ...ref,
    offset: half,
    data: fc.oneof(bytes(0, 40), bytes(9000, 9100)),
    killPriv: flag,
  }),
  record({ ...kind('truncate'), ...ref, size: whole, killPriv: flag }),
  record({
    ...kind('fallocate'),
    ...ref,
    mode: fc.integer({ min: 0, max: 0x7f }),
    offset: half,
    length: half,
  }),
  record({
    ...kind('copyRange'),
    from: positive,
    fromOffset: half,
    ...ref,
    offset: half,
    length: half,
  }),
  record({
    permissions,
    typeAndTarget,
    ...ref,
    ...named,
    uid: uint32,
    gid: uint32,
    rdev: uint32,
  }).map(({ permissions: bits, typeAndTarget: made, ...rest }) => ({
    kind: 'create' as const,
    ...rest,
    mode: made.type | bits,
    target: made.target,
  })),
  record({ ...kind('link'), ...ref, ...named }),
  record({ ...kind('unlink'), ...named, directory: flag }),
  record({
    ...kind('rename'),
    ...named,
    newParent: positive,
    newName: name,
    flags: fc.integer({ min: 0, max: 7 }),
  }),
  record({ ...kind('setattr'), ...ref, mode: permissions, uid: uint32, gid: uint32 }),
  record({ ...kind('times'), ...ref, mtime: time, atime: fc.option(time) }),
  record({
    ...kind('setxattr'),
    ...ref,
    name: noNul(1, 255),
    value: bytes(0, 200),
    flags: fc.integer({ min: 0, max: 3 }),
  }),
  record({ ...kind('removexattr'), ...ref, name: noNul(1, 255) }),
  record({ ...kind('fsync'), ...ref, dataOnly: flag }),
  record({
    ...kind('barrier'),
    why: fc.constantFrom('syncEnd' as const, 'flush' as const, 'mode' as const, 'stop' as const),
    mode,
  }),
);

const meta: fc.Arbitrary<Meta> = record({
  permissions,
  typeAndTarget,
  uid: uint32,
  gid: uint32,
  size: whole,
  mtime: time,
  rdev: uint32,
  xattrs: fc.array(record({ name: noNul(1, 30), value: bytes(0, 60) }), { maxLength: 3 }),
  linkGroup: bits64,
}).map(({ permissions: bits, typeAndTarget: made, ...rest }) => ({
  ...rest,
  mode: made.type | bits,
  target: made.target,
}));

const problem = fc.option(
  record({ errno: fc.integer({ min: 0, max: 4095 }), text, missing: flag }),
);
const names = fc.array(name, { maxLength: 5 });
const hashes = fc.nat({ max: 8 }).chain((count) => bytes(8 * count, 8 * count));
const type = <T extends MessageType>(value: T): { type: fc.Arbitrary<T> } => ({
  type: fc.constant(value),
});

const hello = record({
  ...type('hello'),
  protocol: fc.constant(1),
  features: fc.constant(0n),
  mirror: id,
  node: id,
  bootId: word,
  instance: id,
  role: fc.constantFrom('Primary' as const, 'Secondary' as const),
  data: fc.constantFrom(...(['UpToDate', 'Consistent', 'Outdated', 'Inconsistent'] as const)),
  current: id,
  base: id,
  history: fc.array(id, { maxLength: 32 }),
  wentAlone: flag,
  empty: flag,
  mode,
  clockMs: fc.maxSafeInteger(),
  software: word,
  overwritePeer: flag,
  discardMine: flag,
  clean: flag,
});

export const ops = record({
  ...type('ops'),
  firstSeq: fc.oneof(positive, fc.constant(1)).map((seq) => Math.min(seq, 2 ** 52)),
  ops: fc.array(op, { minLength: 1, maxLength: 12 }),
});

export const ack = record({
  ...type('ack'),
  marks: fc.tuple(whole, whole, whole),
  failed: fc.option(record({ seq: positive, errno: fc.integer({ min: 0, max: 4095 }), text })),
  space: fc.option(record({ freeBytes: whole, availableBytes: whole, freeFiles: whole })),
}).map(({ marks, ...rest }) => {
  const [durable = 0, applied = 0, received = 0] = [...marks].sort((a, b) => a - b);
  return { ...rest, received, applied, durable };
});

const fileData = fc.oneof(
  record({
    ...type('fileData'),
    id: whole,
    offset: half,
    zeros: half,
    data: fc.constant(Buffer.alloc(0)),
  }),
  record({
    ...type('fileData'),
    id: whole,
    offset: half,
    zeros: fc.constant(0),
    data: fc.oneof(bytes(1, 100), bytes(70_000, 70_100)),
  }),
);

/** One arbitrary for each type: a type without one does not compile. */
export const byType: {
  readonly [T in MessageType]: fc.Arbitrary<Extract<Message, { type: T }>>;
} = {
  hello,
  refuse: record({ ...type('refuse'), code: word, text }),
  decision: record({
    ...type('decision'),
    kind: fc.constant('full-resync' as const),
    rule: word,
    mirror: id,
  }),
  ops,
  ack,
  ping: record({ ...type('ping'), number: whole }),
  pong: record({ ...type('pong'), number: whole }),
  dirList: record({
    ...type('dirList'),
    id: whole,
    path,
    self: meta,
    entries: fc.array(record({ name, meta }), { maxLength: 4 }),
    last: flag,
  }),
  dirResult: record({
    ...type('dirResult'),
    id: whole,
    fresh: names,
    stale: names,
    linked: names,
    removed: whole,
    problem,
  }),
  fileOpen: record({
    ...type('fileOpen'),
    id: whole,
    path,
    meta,
    blockSize: fc.constantFrom(0, 4096, 131072, 2 ** 20),
    whole: flag,
    hashes,
  }),
  fileHashes: record({
    ...type('fileHashes'),
    id: whole,
    firstBlock: whole,
    hashes,
    last: flag,
    size: whole,
    problem,
  }),
  fileData,
  fileClose: record({ ...type('fileClose'), id: whole, meta }),
  fileDone: record({ ...type('fileDone'), id: whole, problem }),
  syncCredit: record({ ...type('syncCredit'), bytes: whole }),
  syncProgress: record({
    ...type('syncProgress'),
    filesDone: whole,
    filesTotal: whole,
    bytesDone: whole,
    bytesTotal: whole,
    bytesSent: whole,
    pass: uint32,
    rate: whole,
  }),
  syncEnd: record({
    ...type('syncEnd'),
    current: id,
    base: id,
    history: fc.array(id, { maxLength: 5 }),
    mode,
  }),
  syncStored: record(type('syncStored')),
};

export const message: fc.Arbitrary<Message> = fc.oneof(
  ...(Object.values(byType) as fc.Arbitrary<Message>[]),
);
export const messages = fc.array(message, { minLength: 1, maxLength: 6 });
/** Lengths of chunks, used again and again. */
export const chunking = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 })),
  {
    minLength: 1,
    maxLength: 8,
  },
);
