import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LogFile } from '../../../src/io/log-file.js';
import { openLog, readableLine } from '../../../src/io/logger.js';
import { makeDirs } from '../../../src/io/make-dirs.js';
import { LOG_PENDING_BYTES_MAX } from '../../../src/limits.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';

const read = (path: string): string => fs.readFileSync(path, 'utf8');

describe('log file', () => {
  test('lines arrive in order, in a directory that is made, appended', async (t) => {
    const path = join(tempDir(t), 'a/b/log');
    makeDirs(join(path, '..'), 0o700);
    fs.writeFileSync(path, 'old\n');
    const file = new LogFile(path);
    let expected = 'old\n';
    for (let index = 0; index < 500; index += 1) {
      file.write(`${index}\n`);
      expected += `${index}\n`;
    }
    await waitFor('the lines', () => read(path).length === expected.length);
    assert.equal(read(path), expected);
  });

  test('flush writes at once', (t) => {
    const path = join(tempDir(t), 'log');
    const file = new LogFile(path);
    file.write('first\n');
    file.write('second\n');
    file.flush();
    assert.match(read(path), /second\n$/);
  });

  test('reopened under its name after a rotation, no line lost', async (t) => {
    const path = join(tempDir(t), 'log');
    const file = new LogFile(path);
    file.write('before\n');
    fs.renameSync(path, `${path}.1`);
    file.reopen();
    file.write('after\n');
    await waitFor('both', () => read(path) === 'after\n' && read(`${path}.1`) === 'before\n');
  });

  test('more than the bound is dropped, and the gap is told', async (t) => {
    const path = join(tempDir(t), 'log');
    const file = new LogFile(path);
    const line = `${'x'.repeat(1023)}\n`;
    const count = (2 * LOG_PENDING_BYTES_MAX) / line.length;
    for (let index = 0; index < count; index += 1) file.write(line);
    file.write('last\n');
    await waitFor('the note', () => /"dropped":[0-9]+/.test(read(path)));
    assert.ok(fs.statSync(path).size <= LOG_PENDING_BYTES_MAX + 4096);
  });

  test('a full disk loses lines and nothing else', async () => {
    const file = new LogFile('/dev/full');
    file.write('lost\n');
    file.flush();
    await new Promise((resolve) => setImmediate(resolve));
    file.write('lost\n');
    assert.doesNotThrow(() => file.flush());
  });

  test('a log that cannot be opened names the option', () => {
    const open = () => openLog({ level: 'info', file: '/proc/none/log', terminal: null });
    assert.throws(open, { code: 'log-file', exit: 'usage', message: /--log/ });
  });
});

describe('logger', () => {
  test('JSON lines for the file, short ones for a terminal, by level', (t) => {
    const path = join(tempDir(t), 'log');
    let seen = '';
    const terminal = { write: (text: string) => (seen += text) };
    const output = openLog({ level: 'info', file: path, terminal });
    output.log.debug('hidden');
    output.log.child({ part: 'x' }).warn({ count: 7 }, 'shown');
    output.flush();
    const line = JSON.parse(read(path).trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.equal(line['msg'], 'shown');
    assert.equal(line['part'], 'x');
    assert.match(seen, /^[0-9:.]{12} warn {2}shown part=x count=7\n$/);
  });

  test('what is shown of a line', () => {
    const line = { level: 50, time: 0, pid: 1, msg: 'm', text: 'a b', err: { message: 'why' } };
    const shown = readableLine(JSON.stringify(line));
    assert.equal(shown, '00:00:00.000 error m text="a b" err="why"\n');
    assert.equal(readableLine('no JSON\n'), 'no JSON\n');
  });
});
