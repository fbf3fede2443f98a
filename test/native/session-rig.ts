/**
 * A session mounted over a temporary directory, driven by the test itself, and commands that use
 * the mount from processes of their own: a test may hold their answers back.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Change, EngineEvents, MountOptions } from '../../src/engine/engine.js';
import { NativeEngine } from '../../src/engine/native.js';
import type { Op, OpKind } from '../../src/op/op.js';
import { mountsBelow } from '../helpers/mounts.js';
import { missing } from '../helpers/requires.js';
import { tempDir, type Cleanup } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

export const skip = missing({ fuse: true, addon: true });
const MIB = 1024 * 1024;

export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
}

export interface RigOptions {
  /** The stream's state from the beginning; default off. */
  readonly stream?: 'off' | 'track' | 'on';
  /** Answers every token at once and gives back its budget; default true. */
  readonly answering?: boolean;
  /** The errno a change is answered with; null holds the answer back. Default: 0, if answering. */
  readonly answer?: (op: Op) => number | null;
  readonly by?: 'local' | 'stream';
  readonly syncData?: boolean;
  readonly gateOpen?: boolean;
  readonly mount?: Partial<MountOptions>;
  /** Instead of a new directory. */
  readonly source?: string;
  /** Fills the source directory before it is mounted. */
  readonly prepare?: (source: string) => void;
}

export interface Rig {
  readonly engine: NativeEngine;
  /** The data as it is on disk, and where applications see it. */
  readonly source: string;
  readonly mountpoint: string;
  /** Everything handed over. */
  readonly changes: Change[];
  readonly gateWaits: { count: number };
  readonly syncErrors: number[];
  readonly ended: string[];
  /** Processes that use the mount; killed at the end if they still run. */
  readonly children: Set<ChildProcess>;
  /** Runs a shell script in the mount; resolves with what came of it. */
  readonly run: (script: string) => Promise<CommandResult>;
  /** `run` that must succeed; gives its output. */
  readonly sh: (script: string) => Promise<string>;
  /** Ops of these kinds so far, in order. */
  readonly ops: <K extends OpKind>(...kinds: K[]) => Extract<Op, { kind: K }>[];
  /** Tokens handed over and not answered yet (when not answering). */
  readonly waiting: () => number[];
  /** All pending times are handed over and nothing is under way. Closes the gate meanwhile. */
  readonly settle: () => Promise<void>;
}

/** Waits for the script without keeping the event loop from answering it. */
export function runIn(
  directory: string,
  script: string,
  children = new Set<ChildProcess>(),
): Promise<CommandResult> {
  const child = spawn('sh', ['-c', script], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, output })));
}

export async function mountedRig(context: Cleanup, options: RigOptions = {}): Promise<Rig> {
  const last: (() => Promise<void> | void)[] = [];
  const directory = tempDir({ after: (action) => void last.push(action) }, 'session');
  const source = options.source ?? join(directory, 'source');
  const mountpoint = join(directory, 'mount');
  for (const path of [source, mountpoint]) fs.mkdirSync(path, { mode: 0o755, recursive: true });
  options.prepare?.(source);
  const engine = new NativeEngine();
  const changes: Change[] = [];
  const answered = new Set<number>();
  const answer = options.answer ?? ((): number | null => (options.answering === false ? null : 0));
  const rig: Rig = {
    engine,
    source,
    mountpoint,
    changes,
    gateWaits: { count: 0 },
    syncErrors: [],
    ended: [],
    children: new Set(),
    run: (script) => runIn(mountpoint, script, rig.children),
    sh: async (script) => {
      const { status, output } = await rig.run(script);
      assert.equal(status, 0, `${script}: ${output}`);
      return output;
    },
    ops: (...kinds) =>
      changes.map(({ op }) => op).filter(({ kind }) => (kinds as string[]).includes(kind)) as never,
    waiting: () =>
      changes.map(({ token }) => token).filter((token) => token !== 0 && !answered.has(token)),
    settle: async () => {
      engine.setGate(false);
      engine.flushTimes();
      await engine.quiesce();
      engine.setGate(true);
    },
  };
  const events: EngineEvents = {
    changes: (batch) => {
      changes.push(...batch);
      for (const { op, token, bytes } of batch) {
        const errno = answer(op);
        if (errno === null) continue;
        answered.add(token);
        if (token !== 0) engine.complete([token], errno);
        engine.credit(bytes);
      }
    },
    waitingAtGate: () => (rig.gateWaits.count += 1),
    localSyncFailed: (errno) => rig.syncErrors.push(errno),
    ended: (reason) => rig.ended.push(reason),
  };
  const sourceFd = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  await engine.mount(
    {
      sourceFd,
      mountpoint: Buffer.from(mountpoint),
      fsname: 'twinfs-test',
      workers: 4,
      handoffBytesMax: 64 * MIB,
      writebackCache: false,
      ...options.mount,
    },
    events,
  );
  context.after(async () => {
    await endSession(rig);
    fs.closeSync(sourceFd);
    for (const action of last) await action();
  });
  engine.setAnswer({ by: options.by ?? 'local', syncData: options.syncData ?? false });
  engine.setStream(options.stream ?? 'off');
  engine.setGate(options.gateOpen ?? true);
  return rig;
}

/** Nobody waits any more and the session is over, whatever state the test left it in. */
async function endSession(rig: Rig): Promise<void> {
  for (const child of rig.children) child.kill('SIGKILL');
  if (rig.ended.length > 0) return;
  rig.engine.setStream('off');
  rig.engine.setAnswer({ by: 'local', syncData: false });
  rig.engine.complete(rig.waiting(), 0);
  rig.engine.setGate(true);
  if (mountsBelow(rig.mountpoint).length > 0) await rig.engine.unmount(true);
  await waitFor('the end of the session', () => {
    rig.engine.complete(rig.waiting(), 0);
    return rig.ended.length > 0;
  });
}

/** The op as a plain text without its numbers, for comparing sequences: "unlink d/f". */
export const nameOf = (op: Op): string =>
  'name' in op ? `${op.kind} ${op.name.toString()}` : op.kind;
