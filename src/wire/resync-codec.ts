/** Codecs of the resync's messages. Field meanings: twinfs.proto. */
import {
  DIR_LIST_ENTRIES_MAX,
  FRAME_PAYLOAD_BYTES_MAX,
  GENERATION_HISTORY_MAX,
  NAMES_PER_MESSAGE_MAX,
  XATTRS_PER_MESSAGE_MAX,
} from '../limits.js';
import { boundRepeated, plain, sentence, type MessageCodec } from './message-codec.js';
import type * as wire from './messages.js';
import { badField } from './protocol-error.js';
import { pb } from './proto.js';
import { ids } from './session-codec.js';
import * as check from './validate.js';
import { bits64Bytes, idBytes, MODES, timeParts } from './validate.js';

function metaFields(meta: wire.Meta): pb.Meta.$Properties {
  const mtime = timeParts(meta.mtime);
  return {
    mode: meta.mode,
    uid: meta.uid,
    gid: meta.gid,
    size: meta.size,
    mtimeSeconds: mtime.seconds,
    mtimeNanos: mtime.nanos,
    rdev: meta.rdev,
    target: meta.target,
    xattrs: [...meta.xattrs],
    linkGroup: meta.linkGroup === 0n ? null : bits64Bytes(meta.linkGroup),
  };
}

function metaOf(from: pb.Meta.$Properties | null | undefined, field: string): wire.Meta {
  if (from === null || from === undefined) throw badField(field, 'missing');
  const meta = from as pb.Meta;
  const mode = check.typedMode(meta.mode, `${field}.mode`);
  return {
    mode,
    uid: meta.uid,
    gid: meta.gid,
    size: check.whole(meta.size, `${field}.size`),
    mtime: check.time(meta.mtimeSeconds, meta.mtimeNanos, `${field}.mtime`),
    rdev: meta.rdev,
    target: check.target(meta.target, mode, `${field}.target`),
    xattrs: meta.xattrs.map((xattr, at) => xattrOf(xattr as pb.Xattr, `${field}.xattrs[${at}]`)),
    linkGroup: check.bits64(meta.linkGroup, `${field}.link_group`),
  };
}

const xattrOf = (xattr: pb.Xattr, field: string): wire.Xattr => ({
  name: check.xattrName(xattr.name, `${field}.name`),
  value: check.xattrValue(xattr.value, `${field}.value`),
});

const problemFields = (problem: wire.Problem | null): pb.Problem.$Properties | null =>
  problem === null ? null : { ...problem, text: sentence(problem.text) };

function problemOf(from: pb.Problem.$Properties | null | undefined): wire.Problem | null {
  if (from === null || from === undefined) return null;
  const problem = from as pb.Problem;
  return {
    errno: check.errno(problem.errno, 'problem.errno'),
    text: check.text(problem.text, 'problem.text'),
    missing: problem.missing,
  };
}

const names = (values: readonly Uint8Array[], field: string): Buffer[] =>
  values.map((value, at) => check.name(value, `${field}[${at}]`));

export const dirList = plain<wire.DirList>(
  16,
  (message) =>
    pb.DirList.encode({
      id: message.id,
      path: message.path,
      self: metaFields(message.self),
      entries: message.entries.map(({ name, meta }) => ({ name, meta: metaFields(meta) })),
      last: message.last,
    }),
  (bytes) => {
    boundRepeated(bytes, [4], DIR_LIST_ENTRIES_MAX);
    boundRepeated(bytes, [4, 2, 9], XATTRS_PER_MESSAGE_MAX);
    boundRepeated(bytes, [3, 9], XATTRS_PER_MESSAGE_MAX);
    const from = pb.DirList.decode(bytes);
    return {
      type: 'dirList',
      id: check.whole(from.id, 'id'),
      path: check.path(from.path, 'path'),
      self: metaOf(from.self, 'self'),
      entries: from.entries.map((entry, at) => ({
        name: check.name((entry as pb.Entry).name, `entries[${at}].name`),
        meta: metaOf(entry.meta, `entries[${at}].meta`),
      })),
      last: from.last,
    };
  },
);

export const dirResult = plain<wire.DirResult>(
  17,
  (message) =>
    pb.DirResult.encode({
      id: message.id,
      fresh: [...message.fresh],
      stale: [...message.stale],
      linked: [...message.linked],
      removed: message.removed,
      problem: problemFields(message.problem),
    }),
  (bytes) => {
    for (const field of [2, 3, 6]) boundRepeated(bytes, [field], NAMES_PER_MESSAGE_MAX);
    const from = pb.DirResult.decode(bytes);
    return {
      type: 'dirResult',
      id: check.whole(from.id, 'id'),
      fresh: names(from.fresh, 'fresh'),
      stale: names(from.stale, 'stale'),
      linked: names(from.linked, 'linked'),
      removed: check.whole(from.removed, 'removed'),
      problem: problemOf(from.problem),
    };
  },
);

export const fileOpen = plain<wire.FileOpen>(
  18,
  (message) =>
    pb.FileOpen.encode({
      id: message.id,
      path: message.path,
      meta: metaFields(message.meta),
      blockSize: message.blockSize,
      whole: message.whole,
      hashes: message.hashes,
    }),
  (bytes) => {
    boundRepeated(bytes, [3, 9], XATTRS_PER_MESSAGE_MAX);
    const from = pb.FileOpen.decode(bytes);
    return {
      type: 'fileOpen',
      id: check.whole(from.id, 'id'),
      path: check.path(from.path, 'path'),
      meta: metaOf(from.meta, 'meta'),
      blockSize: check.atMost(from.blockSize, FRAME_PAYLOAD_BYTES_MAX, 'block_size'),
      whole: from.whole,
      hashes: check.hashes(from.hashes, 'hashes'),
    };
  },
);

export const fileHashes = plain<wire.FileHashes>(
  19,
  (message) =>
    pb.FileHashes.encode({
      id: message.id,
      firstBlock: message.firstBlock,
      hashes: message.hashes,
      last: message.last,
      size: message.size,
      problem: problemFields(message.problem),
    }),
  (bytes) => {
    const from = pb.FileHashes.decode(bytes);
    return {
      type: 'fileHashes',
      id: check.whole(from.id, 'id'),
      firstBlock: check.whole(from.firstBlock, 'first_block'),
      hashes: check.hashes(from.hashes, 'hashes'),
      last: from.last,
      size: check.whole(from.size, 'size'),
      problem: problemOf(from.problem),
    };
  },
);

/** The only message besides ops with a payload. */
export const fileData: MessageCodec<wire.FileData> = {
  number: 20,
  write: (to, { id, offset, zeros, data }) => {
    to.uint(1, id);
    to.uint(2, offset);
    to.uint(3, zeros);
    return data.length > 0 ? [data] : [];
  },
  read: (bytes, data) => {
    const from = pb.FileData.decode(bytes);
    const zeros = check.whole(from.zeros, 'zeros');
    if (zeros > 0 && data.length > 0) throw badField('zeros', 'given together with data');
    check.range(from.offset, zeros + data.length, 'offset');
    return {
      type: 'fileData',
      id: check.whole(from.id, 'id'),
      offset: from.offset,
      zeros,
      data,
    };
  },
};

export const fileClose = plain<wire.FileClose>(
  21,
  (message) => pb.FileClose.encode({ id: message.id, meta: metaFields(message.meta) }),
  (bytes) => {
    boundRepeated(bytes, [2, 9], XATTRS_PER_MESSAGE_MAX);
    const from = pb.FileClose.decode(bytes);
    return {
      type: 'fileClose',
      id: check.whole(from.id, 'id'),
      meta: metaOf(from.meta, 'meta'),
    };
  },
);

export const fileDone = plain<wire.FileDone>(
  22,
  (message) => pb.FileDone.encode({ id: message.id, problem: problemFields(message.problem) }),
  (bytes) => {
    const from = pb.FileDone.decode(bytes);
    return {
      type: 'fileDone',
      id: check.whole(from.id, 'id'),
      problem: problemOf(from.problem),
    };
  },
);

export const syncCredit = plain<wire.SyncCredit>(
  26,
  (message) => pb.SyncCredit.encode({ bytes: message.bytes }),
  (bytes) => ({
    type: 'syncCredit',
    bytes: check.whole(pb.SyncCredit.decode(bytes).bytes, 'bytes'),
  }),
);

export const syncProgress = plain<wire.SyncProgress>(
  23,
  (message) => pb.SyncProgress.encode({ ...message, rate: Math.max(0, Math.round(message.rate)) }),
  (bytes) => {
    const from = pb.SyncProgress.decode(bytes);
    return {
      type: 'syncProgress',
      filesDone: check.whole(from.filesDone, 'files_done'),
      filesTotal: check.whole(from.filesTotal, 'files_total'),
      bytesDone: check.whole(from.bytesDone, 'bytes_done'),
      bytesTotal: check.whole(from.bytesTotal, 'bytes_total'),
      bytesSent: check.whole(from.bytesSent, 'bytes_sent'),
      pass: from.pass,
      rate: check.whole(from.rate, 'rate'),
    };
  },
);

export const syncEnd = plain<wire.SyncEnd>(
  24,
  (message) =>
    pb.SyncEnd.encode({
      current: idBytes(message.current),
      base: idBytes(message.base),
      history: message.history.slice(0, GENERATION_HISTORY_MAX).map(idBytes),
      mode: MODES.number(message.mode),
    }),
  (bytes) => {
    boundRepeated(bytes, [3], GENERATION_HISTORY_MAX);
    const from = pb.SyncEnd.decode(bytes);
    return {
      type: 'syncEnd',
      current: check.id(from.current, 'current'),
      base: check.id(from.base, 'base'),
      history: ids(from.history, 'history'),
      mode: MODES.name(from.mode, 'mode'),
    };
  },
);

export const syncStored = plain<wire.SyncStored>(
  25,
  () => pb.SyncStored.encode({}),
  (bytes) => {
    pb.SyncStored.decode(bytes);
    return { type: 'syncStored' };
  },
);
