/** Programs that share files between processes; Python, since Node has neither mmap nor locks. */
import { run } from './application.js';

/** Runs a script with `args` in sys.argv[1:] and all of the modules imported. */
export const python = (directory: string, script: string, ...args: string[]): Promise<string> =>
  run('python3', ['-c', `${IMPORTS}${script}`, ...args], { cwd: directory, timeoutMs: 60_000 });

const IMPORTS = 'import fcntl, mmap, os, sys\n';

/** Writes its own half of the pages of `mapped`, then waits to see the other's half. */
export const MAP_HALF = `
half, pages, size = int(sys.argv[1]), 64, 4096
fd = os.open('mapped', os.O_RDWR | os.O_CREAT, 0o644)
os.ftruncate(fd, pages * size)
shared = mmap.mmap(fd, pages * size)
for round in (1, 2):
    for page in range(half, pages, 2):
        shared[page * size:(page + 1) * size] = bytes([10 * round + half]) * size
    # The first round is put down by msync, the second by the end of the mapping alone.
    if round == 1:
        shared.flush()
        import time
        limit = time.monotonic() + 30
        other = 1 - half
        theirs = range(other, pages, 2)
        while any(shared[p * size] not in (10 + other, 20 + other) for p in theirs):
            if time.monotonic() > limit:
                sys.exit('the other half does not come')
shared.close()
os.close(fd)
`;

/** Adds one, argv[2] times, to the number in \`counter\`, under a lock of the kind argv[1]. */
export const COUNT_LOCKED = `
kind, times = sys.argv[1], int(sys.argv[2])
fd = os.open('counter', os.O_RDWR | os.O_CREAT, 0o644)
lock = fcntl.flock if kind == 'flock' else fcntl.lockf
for i in range(times):
    lock(fd, fcntl.LOCK_EX)
    number = int(os.pread(fd, 20, 0) or b'0')
    os.pwrite(fd, b'%d' % (number + 1), 0)
    lock(fd, fcntl.LOCK_UN)
`;

/** Whole lines of different lengths, appended one write each. */
export const APPEND_LINES = `
writer, lines = sys.argv[1], int(sys.argv[2])
fd = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
for i in range(lines):
    line = ('%s %d ' % (writer, i) + writer * (i % 300)).encode() + b'\\n'
    if os.write(fd, line) != len(line):
        sys.exit('a short write')
`;

/** Files that are open while their names go, and what can still be done with them. */
export const UNLINKED = `
fd = os.open('gone', os.O_RDWR | os.O_CREAT, 0o600)
os.write(fd, b'before')
os.unlink('gone')
os.write(fd, b' after')
os.ftruncate(fd, 9)
os.fchmod(fd, 0o640)
assert os.pread(fd, 100, 0) == b'before af', 'contents'
assert os.fstat(fd).st_nlink == 0, 'nlink'
assert os.fstat(fd).st_mode & 0o777 == 0o640, 'mode'
again = os.open('gone', os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
os.write(again, b'another file')
assert os.pread(fd, 6, 0) == b'before', 'the two are one'
old = os.open('target', os.O_RDWR | os.O_CREAT, 0o600)
os.write(old, b'old')
new = os.open('target.new', os.O_RDWR | os.O_CREAT, 0o600)
os.write(new, b'new')
os.rename('target.new', 'target')
os.pwrite(old, b'OLD', 0)
os.pwrite(new, b'NEW!', 0)
assert open('target', 'rb').read() == b'NEW!', 'renamed over'
assert os.pread(old, 9, 0) == b'OLD', 'the old one'
os.mkdir('folder')
inside = os.open('folder', os.O_RDONLY | os.O_DIRECTORY)
os.rmdir('folder')
assert os.listdir(inside) == [], 'a removed directory'
held = os.open('held', os.O_RDWR | os.O_CREAT, 0o600)
os.link('held', 'second')
os.unlink('held')
os.write(held, b'through the second name')
os.fsync(held)
assert open('second', 'rb').read() == b'through the second name', 'the second name'
print(sorted(os.listdir('.')))
`;
