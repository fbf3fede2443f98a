/**
 * The portable engine: libfuse 2 through the `fuse-native` package, behind the same interface as
 * the main one. For a machine without a C++ compiler, and for mirroring one's own plain files: the
 * kernel lets only the user who mounted in, and every file made belongs to that user. It is slow;
 * PORTABLE_LIMITS says what it cannot do.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { assert } from '../assert.js';
import { PORTABLE_MOUNT_POLL_MS } from '../limits.js';
import type { NodeRef } from '../op/op.js';
import { TwinfsError, errorText } from '../errors.js';
import type {
  AnswerRule,
  Engine,
  EngineCounters,
  EngineEvents,
  Mark,
  MountOptions,
  StreamState,
} from './engine.js';
import { PortableCommit } from './portable-commit.js';
import { PortableContents } from './portable-contents.js';
import { PortableHandles } from './portable-handles.js';
import { loadLibrary, mountLibrary, type FuseOperations } from './portable-library.js';
import { PortableNames } from './portable-names.js';
import { PortableNodes } from './portable-nodes.js';
import { readOperations, type PeerSpace } from './portable-reads.js';
import { PortableStream } from './portable-stream.js';
import { getXattr, listXattr } from './portable-xattr.js';

/** Said at mount time and in docs/guarantees.md. */
export const PORTABLE_LIMITS: readonly string[] = [
  'one user: only the user who mounted can enter, and new files belong to that user',
  'no fallocate, copy_file_range, rename flags, lseek for holes, O_TMPFILE or remote locks',
  'no device nodes, fifos or sockets; extended attributes only in "user.", and only with the attr tools',
  'names and symlink targets that are not UTF-8 are hidden and refused (EILSEQ)',
  'times are shown and set in milliseconds; setting one of atime and mtime alone is ignored',
  'a file removed while open shows as .fuse_hidden… on both nodes until it is closed',
  'a directory that is itself the root of a file system cannot be mounted in place',
];

/**
 * `nonempty`: in place, the data lies below. `use_ino`: hard links show one number. No caching of
 * names or attributes, because one inode may be known under several paths. `big_writes`: 128 KiB
 * instead of 4.
 */
const MOUNT_OPTIONS = [
  'nonempty',
  'big_writes',
  'use_ino',
  'entry_timeout=0',
  'attr_timeout=0',
  'negative_timeout=0',
  'subtype=twinfs',
];
const MOUNTPOINT_BYTES_MAX = 1000;

interface Parts {
  readonly mountpoint: string;
  readonly nodes: PortableNodes;
  readonly stream: PortableStream;
  readonly handles: PortableHandles;
}

export class FuseNativeEngine implements Engine {
  readonly name = 'fuse-native';
  readonly #log: (text: string) => void;
  #parts: Parts | null = null;
  #events: EngineEvents | null = null;
  #peerSpace: PeerSpace | null = null;
  #requests = 0;
  #watch: NodeJS.Timeout | null = null;

  /** `log` is told, at mount time, what this engine does not support. */
  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  async mount(options: MountOptions, events: EngineEvents): Promise<void> {
    assert(this.#parts === null, 'an engine mounts once');
    const mountpoint = checkMountpoint(options.mountpoint);
    loadLibrary();
    // Both nodes' data lies beneath this descriptor, whatever is mounted over its path.
    const base = `/proc/self/fd/${options.sourceFd}`;
    const nodes = new PortableNodes(base, `/proc/${process.pid}/fd/${options.sourceFd}`);
    const handles = new PortableHandles();
    const commit = new PortableCommit((path) => nodes.source(path));
    const stream = new PortableStream(nodes, commit, events, options.handoffBytesMax);
    const context = { nodes, handles, stream, commit };
    const contents = new PortableContents(context, (errno) => events.localSyncFailed(errno));
    const operations = this.#operations(new PortableNames(context), contents, nodes, handles);
    this.#parts = { mountpoint, nodes, stream, handles };
    this.#events = events;
    for (const limit of PORTABLE_LIMITS) this.#log(`portable engine: ${limit}`);
    try {
      await mountLibrary(mountpoint, options.fsname, MOUNT_OPTIONS, operations, {
        getxattr: (path, name) => getXattr(nodes.foreign(path), name),
        listxattr: (path) => listXattr(nodes.foreign(path)),
        modifyTime: (mtimeMs) => contents.setModifyTime(mtimeMs),
      });
    } catch (cause) {
      this.#parts = null;
      throw mountFailed(mountpoint, cause);
    }
    this.#watchMount(mountpoint);
  }

  async unmount(lazy: boolean): Promise<void> {
    const { mountpoint } = this.#need();
    await unmountPath(mountpoint, lazy);
    this.#ended();
  }

  setGate(open: boolean): void {
    this.#need().stream.setGate(open);
  }

  setReadOnly(on: boolean): void {
    this.#need().stream.setReadOnly(on);
  }

  quiesce(): Promise<void> {
    return this.#need().stream.quiesce();
  }

  setStream(state: StreamState): void {
    this.#need().stream.setState(state);
  }

  setAnswer(rule: AnswerRule): void {
    this.#need().stream.setRule(rule);
  }

  complete(tokens: readonly number[], errno: number): void {
    this.#need().stream.complete(tokens, errno);
  }

  credit(bytes: number): void {
    this.#need().stream.credit(bytes);
  }

  takeMarks(): Mark[] {
    return this.#need().stream.takeMarks();
  }

  addMark(mark: Mark): void {
    this.#need().stream.addMark(mark);
  }

  pathOf(ref: NodeRef): Buffer | null {
    const { nodes } = this.#need();
    const node = nodes.byRef(ref);
    const path = node === null ? null : nodes.pathOf(node);
    return path === null ? null : Buffer.from(path.slice(1));
  }

  flushTimes(): void {
    this.#need().stream.flushTimes();
  }

  async syncLocal(): Promise<void> {
    const { nodes } = this.#need();
    await run('sync', ['-f', nodes.foreign('/')]);
  }

  setPeerSpace(space: PeerSpace | null): void {
    this.#peerSpace = space;
  }

  counters(): EngineCounters {
    const { nodes, stream, handles } = this.#need();
    return {
      requests: this.#requests,
      ...stream.counters,
      inodes: nodes.size,
      descriptors: handles.size,
    };
  }

  #need(): Parts {
    assert(this.#parts !== null, 'the engine is mounted');
    return this.#parts;
  }

  #operations(
    names: PortableNames,
    contents: PortableContents,
    nodes: PortableNodes,
    handles: PortableHandles,
  ): FuseOperations {
    const reads = readOperations({
      handles,
      source: (path) => nodes.source(path),
      peerSpace: () => this.#peerSpace,
    });
    const unused = (): void => undefined;
    const all: FuseOperations = {
      ...reads,
      create: names.create.bind(names),
      mknod: names.mknod.bind(names),
      mkdir: names.mkdir.bind(names),
      symlink: names.symlink.bind(names),
      link: names.link.bind(names),
      unlink: names.unlink.bind(names),
      rmdir: names.rmdir.bind(names),
      rename: names.rename.bind(names),
      open: contents.open.bind(contents),
      release: contents.release.bind(contents),
      write: contents.write.bind(contents),
      truncate: contents.truncate.bind(contents),
      ftruncate: contents.ftruncate.bind(contents),
      fsync: contents.fsync.bind(contents),
      fsyncdir: contents.fsyncdir.bind(contents),
      chmod: contents.chmod.bind(contents),
      chown: contents.chown.bind(contents),
      utimens: contents.utimens.bind(contents),
      setxattr: contents.setxattr.bind(contents),
      removexattr: contents.removexattr.bind(contents),
      getxattr: unused,
      listxattr: unused,
    };
    const write = all.write;
    all.write = (...args) => {
      this.#requests += 1;
      write(...args);
    };
    return all;
  }

  /** The library does not say when the kernel ends the session: the list of mounts does. */
  #watchMount(mountpoint: string): void {
    const id = mountId(mountpoint);
    this.#watch = setInterval(() => {
      if (mountId(mountpoint) !== id) this.#ended();
    }, PORTABLE_MOUNT_POLL_MS);
    this.#watch.unref();
  }

  #ended(): void {
    if (this.#watch === null) return;
    clearInterval(this.#watch);
    this.#watch = null;
    const { stream, handles } = this.#need();
    stream.flushTimes();
    stream.end();
    handles.closeAll();
    this.#events?.ended('unmounted');
  }
}

function checkMountpoint(bytes: Buffer): string {
  if (isUtf8(bytes) && bytes.length <= MOUNTPOINT_BYTES_MAX) return bytes.toString();
  throw new TwinfsError(
    'mountpoint-unsuitable',
    'badDirectory',
    `the portable engine cannot mount on ${bytes.toString()}: the path is not UTF-8 or longer than ${MOUNTPOINT_BYTES_MAX} bytes; mount elsewhere ("twinfs mount DIR MOUNTPOINT") or leave --engine out`,
  );
}

function mountFailed(mountpoint: string, cause: unknown): TwinfsError {
  if (cause instanceof TwinfsError) return cause;
  const inUse = errorText(cause).includes('in use');
  const next = inUse
    ? 'it is the root of a file system, which the portable engine cannot mount over; mount a directory below it, or leave --engine out'
    : 'check that /dev/fuse exists and that you may use it (root, or the fusermount helper)';
  return new TwinfsError(
    'mount-failed',
    'noFuse',
    `the portable engine cannot mount on ${mountpoint} (${errorText(cause)}): ${next}`,
    cause,
  );
}

/**
 * Id of the topmost mount on a path, or null. The list escapes blanks, tabs, newlines and
 * backslashes.
 */
function mountId(mountpoint: string): string | null {
  const escaped = mountpoint.replace(
    /[ \t\n\\]/g,
    (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  let found: string | null = null;
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const fields = line.split(' ');
    if (fields[4] === escaped) found = fields[0] ?? null;
  }
  return found;
}

async function unmountPath(mountpoint: string, lazy: boolean): Promise<void> {
  const text = await run('umount', lazy ? ['-l', mountpoint] : [mountpoint]);
  if (text === null) return;
  const code = /busy/.test(text) ? 'EBUSY' : 'EINVAL';
  throw Object.assign(new Error(`umount ${mountpoint}: ${text}`), { code });
}

/** Runs a system tool off the event loop; null, or what it complained of. */
function run(command: string, args: readonly string[]): Promise<string | null> {
  const options = { cwd: '/', env: { ...process.env, LC_ALL: 'C' } };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, _stdout, stderr) =>
      resolve(error === null ? null : stderr.trim() || errorText(error)),
    );
  });
}
