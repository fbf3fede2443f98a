/**
 * Entry of a hash worker (a worker thread): reads ranges of open files and answers with the hashes
 * of their blocks, the bytes themselves, or both, so that neither reading nor hashing holds the
 * event loop. Files are passed as descriptor numbers, which belong to the whole process; the sender
 * keeps them open until the answer is there. Memory: one read buffer, and one buffer per answer,
 * which is transferred.
 */
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import { assert } from '../assert.js';

export interface WorkerJob {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** 0: no hashes wanted. */
  readonly blockSize: number;
  readonly wantData: boolean;
}

export interface WorkerResult {
  /** Bytes there were: fewer than asked at the end of the file. */
  readonly bytes: number;
  /**
   * Where in the answer's buffer the hashes (8 bytes little endian per block) and the data begin.
   */
  readonly hashesAt: number;
  readonly hashesBytes: number;
  readonly dataAt: number;
  /** Code of a read error ("EIO"), else empty. */
  readonly errorCode: string;
  readonly errno: number;
}

export interface WorkerAnswer {
  readonly results: readonly WorkerResult[];
  readonly buffer: ArrayBuffer;
}

/** Bytes the hashes of `length` bytes take. */
const hashBytes = (length: number, blockSize: number): number =>
  blockSize === 0 ? 0 : Math.ceil(length / blockSize) * 8;

const EIO = 5;
const READ_BYTES = 1024 * 1024;
const { h64Raw } = await xxhash();
let readBuffer: Buffer | null = null;

/** Fills `into` from the file; fewer bytes at its end. */
function readFully(fd: number, into: Uint8Array, offset: number): number {
  let done = 0;
  while (done < into.length) {
    const got = readSync(fd, into, done, into.length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

function hashInto(out: DataView, at: number, bytes: Uint8Array, blockSize: number): void {
  for (let offset = 0; offset < bytes.length; offset += blockSize) {
    const block = bytes.subarray(offset, Math.min(offset + blockSize, bytes.length));
    out.setBigUint64(at + (offset / blockSize) * 8, h64Raw(block, 0n), true);
  }
}

/** Hashes without keeping the data: through one buffer of whole blocks. */
function hashOnly(job: WorkerJob, out: DataView, at: number): number {
  readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
  const step = READ_BYTES - (READ_BYTES % job.blockSize);
  let done = 0;
  while (done < job.length) {
    const chunk = readBuffer.subarray(0, Math.min(step, job.length - done));
    const got = readFully(job.fd, chunk, job.offset + done);
    hashInto(out, at + (done / job.blockSize) * 8, chunk.subarray(0, got), job.blockSize);
    done += got;
    if (got < chunk.length) break;
  }
  return done;
}

function runJob(job: WorkerJob, buffer: ArrayBuffer, at: number): WorkerResult {
  const hashesAt = at;
  const dataAt = at + hashBytes(job.length, job.blockSize);
  const result = (bytes: number, errorCode = '', errno = 0): WorkerResult => ({
    bytes,
    hashesAt,
    hashesBytes: hashBytes(bytes, job.blockSize),
    dataAt,
    errorCode,
    errno,
  });
  try {
    const out = new DataView(buffer);
    if (!job.wantData) return result(hashOnly(job, out, hashesAt));
    const data = new Uint8Array(buffer, dataAt, job.length);
    const bytes = readFully(job.fd, data, job.offset);
    if (job.blockSize > 0) hashInto(out, hashesAt, data.subarray(0, bytes), job.blockSize);
    return result(bytes);
  } catch (error) {
    const { code = 'EIO', errno = EIO } = error as NodeJS.ErrnoException;
    return result(0, code, errno);
  }
}

const roundUp8 = (value: number): number => Math.ceil(value / 8) * 8;

function answerBytes(job: WorkerJob): number {
  return roundUp8(hashBytes(job.length, job.blockSize) + (job.wantData ? job.length : 0));
}

function run(jobs: readonly WorkerJob[]): WorkerAnswer {
  const buffer = new ArrayBuffer(jobs.reduce((sum, job) => sum + answerBytes(job), 0));
  const results: WorkerResult[] = [];
  let at = 0;
  for (const job of jobs) {
    assert(job.length >= 0 && job.blockSize <= READ_BYTES, 'a hash job is in bounds');
    results.push(runJob(job, buffer, at));
    at += answerBytes(job);
  }
  return { results, buffer };
}

const port = parentPort;
assert(port !== null, 'hash-worker runs as a worker thread');
port.on('message', (jobs: readonly WorkerJob[]) => {
  const answer = run(jobs);
  port.postMessage(answer, [answer.buffer]);
});
