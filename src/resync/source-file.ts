/**
 * Brings one file to the target. Three ways: attributes only; a small file, which is read once and
 * sent with its hashes, so that an equal one costs one answer; a large one, which both sides hash
 * side by side piece by piece while its differing blocks travel. A file the target has just made is
 * sent whole, unhashed. Files change meanwhile: what is read then may be torn, but the engine's
 * mark brings the file again.
 */
import { blockSizeFor } from '../core/resync-plan.js';
import type { OpenFile } from '../io/tree.js';
import { SYNC_DATA_BYTES_MAX, SYNC_SEGMENT_BYTES, SYNC_SMALL_FILE_BYTES } from '../limits.js';
import type { Meta } from '../wire/messages.js';
import { FileReplies } from './file-replies.js';
import { inLanes } from './lanes.js';
import { isRegular, metaOf } from './meta.js';
import { orGone, readError, targetError, type SourceIo } from './source-io.js';
import { zeroRuns } from './zero-runs.js';

export interface FileJob {
  readonly path: Buffer;
  /** As listed a moment ago; null: to be looked up. */
  readonly meta: Meta | null;
  /** About how large it is. */
  readonly size: number;
  /** The target has just made it, empty. */
  readonly fresh: boolean;
  readonly what: 'content' | 'attributes';
}

/**
 * `gone`: not there any more. `missing`: not there on the target; to be tried again in the next
 * pass.
 */
export interface FileOutcome {
  readonly how: 'done' | 'gone' | 'missing';
  readonly size: number;
  readonly changedBytes: number;
}

const GONE: FileOutcome = { how: 'gone', size: 0, changedBytes: 0 };
const NO_HASHES = Buffer.alloc(0);
/** Pieces under way per large file. */
const LANES = 2;

/**
 * Throws what ends the resync: a read error here, the target's problem, or the end of the
 * connection.
 */
export async function transferFile(io: SourceIo, job: FileJob): Promise<FileOutcome> {
  if (job.what === 'attributes') return transferAttributes(io, job.path);
  const listed = job.meta ?? orGone(job.path, () => metaOf(io.tree.stat(job.path)));
  if (listed === null || !isRegular(listed.mode)) return GONE;
  const file = orGone(job.path, () => io.tree.openRead(job.path));
  if (file === null) return GONE;
  try {
    return await new Transfer(io, job, file, { ...listed, size: file.size }).run();
  } catch (error) {
    throw readError(job.path, error);
  } finally {
    io.tree.close(file.fd);
  }
}

async function transferAttributes(io: SourceIo, path: Buffer): Promise<FileOutcome> {
  await io.channel.reserve(0);
  const meta = orGone(path, () => metaOf(io.tree.stat(path)));
  if (meta === null) return GONE;
  const id = io.channel.nextId();
  const replies = new FileReplies(0);
  io.channel.listen(id, replies);
  const open = { blockSize: 0, whole: false, hashes: NO_HASHES };
  io.channel.send({ type: 'fileOpen', id, path, meta, ...open });
  io.channel.send({ type: 'fileClose', id, meta });
  return outcomeOf(replies, 0, 0);
}

async function outcomeOf(
  replies: FileReplies,
  size: number,
  changedBytes: number,
): Promise<FileOutcome> {
  const { problem } = await replies.finished();
  if (problem === null) return { how: 'done', size, changedBytes };
  if (problem.missing) return { how: 'missing', size, changedBytes };
  throw targetError(problem);
}

class Transfer {
  readonly #io: SourceIo;
  readonly #job: FileJob;
  readonly #fd: number;
  readonly #meta: Meta;
  readonly #size: number;
  readonly #blockSize: number;
  readonly #id: number;
  readonly #replies: FileReplies;
  #changedBytes = 0;
  #countedBytes = 0;

  constructor(io: SourceIo, job: FileJob, file: OpenFile, meta: Meta) {
    this.#io = io;
    this.#job = job;
    this.#fd = file.fd;
    this.#meta = meta;
    this.#size = file.size;
    this.#blockSize = blockSizeFor(file.size);
    this.#id = io.channel.nextId();
    this.#replies = new FileReplies(Math.ceil(file.size / this.#blockSize));
  }

  async run(): Promise<FileOutcome> {
    if (this.#size <= SYNC_SMALL_FILE_BYTES) await this.#small();
    else if (this.#job.fresh) await this.#whole();
    else await this.#compare();
    const outcome = await outcomeOf(this.#replies, this.#size, this.#changedBytes);
    this.#count(this.#size - this.#countedBytes);
    return outcome;
  }

  async #small(): Promise<void> {
    const { channel } = this.#io;
    const whole = this.#job.fresh || this.#size === 0;
    await channel.reserve(this.#size);
    let unsent = this.#size;
    try {
      const blockSize = whole ? 0 : this.#blockSize;
      const read = await this.#read(0, this.#size, blockSize);
      this.#open(whole, read.hashes);
      if (!whole) await this.#replies.reach(1);
      if (this.#replies.answer !== null) return;
      for (const { offset, length } of this.#runsToSend(whole, read.hashes, read.data.length)) {
        unsent -= this.#sendRun(offset, read.data.subarray(offset, offset + length), whole);
      }
      this.#close();
    } finally {
      channel.release(unsent);
    }
  }

  /** Everything but zeros, unhashed: the target's file is empty. */
  async #whole(): Promise<void> {
    await this.#io.channel.reserve(0);
    this.#open(true, NO_HASHES);
    await inLanes(LANES, pieces(this.#size, SYNC_DATA_BYTES_MAX), async ({ offset, length }) => {
      if (this.#replies.answer !== null) return;
      await this.#readAndSend(offset, length, true);
      this.#count(length);
    });
    this.#close();
  }

  async #compare(): Promise<void> {
    await this.#io.channel.reserve(0);
    this.#open(false, NO_HASHES);
    await inLanes(LANES, pieces(this.#size, SYNC_SEGMENT_BYTES), async (piece) => {
      if (this.#replies.answer !== null) return;
      await this.#comparePiece(piece.offset, piece.length);
      this.#count(piece.length);
    });
    this.#close();
  }

  async #comparePiece(offset: number, length: number): Promise<void> {
    const job = { fd: this.#fd, offset, length, blockSize: this.#blockSize, wantData: false };
    const { hashes, bytes } = await this.#io.pool.run(job);
    await this.#replies.reach(Math.ceil((offset + length) / this.#blockSize));
    for (const run of this.#differing(offset, hashes, bytes)) {
      if (this.#replies.answer !== null) return;
      await this.#readAndSend(run.offset, run.length, false);
    }
  }

  async #readAndSend(offset: number, length: number, whole: boolean): Promise<void> {
    await this.#io.channel.reserve(length);
    let unsent = length;
    try {
      const { data } = await this.#read(offset, length, 0);
      unsent -= this.#sendRun(offset, data, whole);
    } finally {
      this.#io.channel.release(unsent);
    }
  }

  #read(offset: number, length: number, blockSize: number): ReturnType<SourceIo['pool']['run']> {
    if (length === 0) return Promise.resolve({ bytes: 0, hashes: NO_HASHES, data: NO_HASHES });
    return this.#io.pool.run({ fd: this.#fd, offset, length, blockSize, wantData: true });
  }

  #runsToSend(whole: boolean, hashes: Buffer, bytes: number): Iterable<Piece> {
    if (whole) return bytes === 0 ? [] : [{ offset: 0, length: bytes }];
    return this.#differing(0, hashes, bytes);
  }

  /** Runs of differing blocks, none longer than SYNC_DATA_BYTES_MAX. */
  *#differing(start: number, hashes: Buffer, bytes: number): Generator<Piece> {
    let run = null as Piece | null;
    for (let offset = start; offset < start + bytes; offset += this.#blockSize) {
      const block = offset / this.#blockSize;
      const length = Math.min(this.#blockSize, start + bytes - offset);
      const differs = this.#replies.differs(
        block,
        hashes,
        ((offset - start) / this.#blockSize) * 8,
      );
      if (run !== null && (!differs || run.length + length > SYNC_DATA_BYTES_MAX)) {
        yield run;
        run = null;
      }
      if (differs) run = { offset: run?.offset ?? offset, length: (run?.length ?? 0) + length };
    }
    if (run !== null) yield run;
  }

  /** Sends data and zeros apart, so that holes stay holes; returns the bytes that travel. */
  #sendRun(offset: number, data: Buffer, whole: boolean): number {
    let sent = 0;
    this.#changedBytes += data.length;
    for (const run of zeroRuns(data, this.#blockSize)) {
      const at = offset + run.offset;
      if (!run.zero) {
        const bytes = data.subarray(run.offset, run.offset + run.length);
        this.#io.channel.send({
          type: 'fileData',
          id: this.#id,
          offset: at,
          zeros: 0,
          data: bytes,
        });
        sent += run.length;
      } else if (!whole && at < this.#replies.targetSize) {
        const zeros = run.length;
        this.#io.channel.send({
          type: 'fileData',
          id: this.#id,
          offset: at,
          zeros,
          data: NO_HASHES,
        });
      }
    }
    this.#io.totals.bytesSent += sent;
    return sent;
  }

  #open(whole: boolean, hashes: Buffer): void {
    const { channel } = this.#io;
    channel.listen(this.#id, this.#replies);
    const { path } = this.#job;
    const blockSize = this.#blockSize;
    channel.send({
      type: 'fileOpen',
      id: this.#id,
      path,
      meta: this.#meta,
      blockSize,
      whole,
      hashes,
    });
  }

  #close(): void {
    if (this.#replies.answer !== null) return;
    this.#io.channel.send({ type: 'fileClose', id: this.#id, meta: this.#meta });
  }

  #count(bytes: number): void {
    this.#countedBytes += bytes;
    this.#io.totals.bytesDone += bytes;
  }
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

function* pieces(size: number, step: number): Generator<Piece> {
  for (let offset = 0; offset < size; offset += step) {
    yield { offset, length: Math.min(step, size - offset) };
  }
}
