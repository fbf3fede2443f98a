/**
 * A process that mounts DIRECTORY in place, says so, and serves until it is killed; with "exit" it
 * calls process.exit when its standard input ends. Arguments: DIRECTORY [exit].
 */
import * as fs from 'node:fs';
import { NativeEngine } from '../../src/engine/native.js';

const [directory = '', how] = process.argv.slice(2);
const engine = new NativeEngine();
await engine.mount(
  {
    sourceFd: fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY),
    mountpoint: Buffer.from(directory),
    fsname: 'twinfs-test-child',
    workers: 4,
    handoffBytesMax: 1024 * 1024,
    writebackCache: false,
  },
  {
    changes: () => undefined,
    waitingAtGate: () => undefined,
    localSyncFailed: () => undefined,
    ended: () => undefined,
  },
);
engine.setGate(true);
if (how === 'exit') process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write('mounted\n');
