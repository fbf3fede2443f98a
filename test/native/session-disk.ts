/**
 * A disk that obeys, for the tests of durability: a session of its own, in its own process, whose
 * fsyncs are answered as the test says. In its own, because a process that hangs in its own mount
 * cannot even be killed. Argument: DIRECTORY, holding `source` and `mount`. Ends when its parent
 * is gone.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { NativeEngine } from '../../src/engine/native.js';

/** Answer to fsyncs from now on, those that wait included; null: none. */
export interface DiskOrder {
  readonly fsync: number | null;
}

export interface DiskEvent {
  readonly kind: 'mounted' | 'create' | 'fsync' | 'write';
  readonly ref: number;
}

const [directory = ''] = process.argv.slice(2);
const engine = new NativeEngine();
let order: DiskOrder = { fsync: 0 };
let held: number[] = [];
const tell = (event: DiskEvent): boolean => process.send?.(event) ?? false;

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  order = message as DiskOrder;
  if (order.fsync === null) return;
  engine.complete(held, order.fsync);
  held = [];
});
await engine.mount(
  {
    sourceFd: fs.openSync(join(directory, 'source'), fs.constants.O_RDONLY),
    mountpoint: Buffer.from(join(directory, 'mount')),
    fsname: 'twinfs-test-disk',
    workers: 4,
    handoffBytesMax: 1024 * 1024 * 1024,
    writebackCache: false,
  },
  {
    changes: (batch) => {
      for (const { op, token } of batch) {
        const isHeld = op.kind === 'fsync' && order.fsync === null;
        if (isHeld) held.push(token);
        else if (token !== 0)
          engine.complete([token], op.kind === 'fsync' ? (order.fsync ?? 0) : 0);
        if (op.kind === 'create' || op.kind === 'fsync' || op.kind === 'write') {
          tell({ kind: op.kind, ref: op.ref });
        }
      }
    },
    waitingAtGate: () => undefined,
    localSyncFailed: () => undefined,
    ended: () => process.exit(0),
  },
);
engine.setAnswer({ by: 'stream', syncData: false });
engine.setStream('on');
engine.setGate(true);
tell({ kind: 'mounted', ref: 1 });
