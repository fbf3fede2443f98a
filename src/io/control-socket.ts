/**
 * The control socket `<state>/control.sock` as lines: one request line and one reply line per
 * connection. Mode 0600. A state path may be longer than a socket address (108 bytes, unix(7)), so
 * both sides reach the socket as /proc/self/fd/<descriptor of the state directory>/control.sock.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { TwinfsError, errorText } from '../errors.js';
import { CONTROL_CONNECTIONS_MAX, CONTROL_LINE_BYTES_MAX } from '../limits.js';
import { CONTROL_TIMEOUT_MS } from '../limits.js';

const NAME = 'control.sock';
const NEWLINE = 0x0a;

export interface ControlListener {
  /** Takes no more connections; resolves when the replies under way have been sent. */
  close(): Promise<void>;
}

/**
 * Listens, taking over a socket that a killed daemon left: whoever calls holds the lock of the
 * state directory. `answer` gets one line without its newline and must not reject.
 */
export async function listenControl(
  stateDir: string,
  answer: (line: string) => Promise<string>,
): Promise<ControlListener> {
  const folder = openFolder(stateDir);
  const idle = new Set<net.Socket>();
  // Half-open: a client may end its side after the request and still wait for the reply.
  const server = net.createServer({ allowHalfOpen: true }, (socket) => serve(socket, idle, answer));
  server.maxConnections = CONTROL_CONNECTIONS_MAX;
  try {
    fs.rmSync(join(stateDir, NAME), { force: true });
    await listening(server, `/proc/self/fd/${folder}/${NAME}`);
  } catch (cause) {
    fs.closeSync(folder);
    throw new TwinfsError(
      'control-socket',
      'badState',
      `cannot listen on ${join(stateDir, NAME)}: ${errorText(cause)}; ` +
        'the state directory must be on a filesystem that has sockets',
      cause,
    );
  }
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of idle) socket.destroy();
        server.close(() => {
          // Not before: closing the server removes the socket by the name it was bound to.
          fs.closeSync(folder);
          resolve();
        });
      }),
  };
}

const openFolder = (path: string): number =>
  fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);

function listening(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // bind(2) happens within listen(): the socket never exists with a wider mode.
    const before = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
}

function serve(
  socket: net.Socket,
  idle: Set<net.Socket>,
  answer: (line: string) => Promise<string>,
): void {
  const drop = (): void => void socket.destroy();
  idle.add(socket);
  socket.on('error', drop).on('close', () => idle.delete(socket));
  socket.setTimeout(CONTROL_TIMEOUT_MS, drop);
  readLine(socket, (line) => {
    if (line === null) return drop();
    idle.delete(socket);
    // From here on the command takes its time; it is the client that limits it.
    socket.setTimeout(0);
    return void answer(line).then((reply) => socket.end(`${reply}\n`));
  });
}

/**
 * Calls back once: with the first line, or null when the stream ends or grows past the bound
 * before.
 */
function readLine(socket: net.Socket, done: (line: string | null) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  const finish = (line: string | null): void => {
    socket.off('data', take).off('end', ended);
    socket.resume();
    chunks = [];
    done(line);
  };
  const take = (chunk: Buffer): void => {
    const at = chunk.indexOf(NEWLINE);
    const part = at < 0 ? chunk : chunk.subarray(0, at);
    size += part.length;
    if (size > CONTROL_LINE_BYTES_MAX) return finish(null);
    chunks.push(part);
    if (at >= 0) finish(Buffer.concat(chunks).toString('utf8'));
  };
  const ended = (): void => finish(null);
  socket.on('data', take).on('end', ended);
}

/** `no-daemon`: nobody listens. */
export type AskFailure = 'no-daemon' | 'no-access' | 'closed' | 'timed-out';

/** Sends one line and resolves to the reply line, or to why there is none. */
export function askControl(
  stateDir: string,
  line: string,
  timeoutMs: number,
): Promise<{ readonly reply: string } | { readonly failure: AskFailure }> {
  let folder: number;
  try {
    folder = openFolder(stateDir);
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES';
    return Promise.resolve({ failure: denied ? 'no-access' : 'no-daemon' });
  }
  return new Promise((resolve) => {
    let connected = false;
    const socket = net.connect(`/proc/self/fd/${folder}/${NAME}`, () => {
      connected = true;
      socket.write(`${line}\n`);
    });
    const deadline = setTimeout(() => finish({ failure: 'timed-out' }), timeoutMs);
    const finish = (result: { reply: string } | { failure: AskFailure }): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(result);
    };
    socket.once('close', () => fs.closeSync(folder));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (connected) finish({ failure: 'closed' });
      else finish({ failure: error.code === 'EACCES' ? 'no-access' : 'no-daemon' });
    });
    readLine(socket, (reply) => finish(reply === null ? { failure: 'closed' } : { reply }));
  });
}
