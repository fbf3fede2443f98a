import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusText, stoppedText, syncLine } from '../../../src/cli/status-view.js';
import type { Status } from '../../../src/control/messages.js';
import { NO_ID } from '../../../src/core/types.js';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const view = { color: false, now: NOW };

const status = (changes: Partial<Status> = {}): Status => ({
  directory: '/srv/data',
  mountpoint: '/srv/data',
  state: '/var/lib/twinfs/srv-data',
  version: '1.2.3',
  engine: 'native',
  role: 'Primary',
  data: 'UpToDate',
  service: 'PRIM',
  link: 'Connected',
  replication: 'Established',
  mode: 'semi-sync',
  peer: { address: '10.0.0.2:7400', data: 'UpToDate', silentMs: 12 },
  mirror: '1111111111111111',
  current: '2222222222222222',
  base: '2222222222222222',
  wentAlone: false,
  reason: null,
  rule: null,
  watermarks: { sent: 12345, received: 12340, applied: 12000, durable: 11000 },
  lag: { ops: 5, bytes: 20480, oldestMs: 3 },
  sync: null,
  pids: [4711, 4712],
  startedAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});

const sync = {
  pass: 1,
  filesDone: 120,
  filesTotal: 400,
  bytesDone: 1024 ** 3,
  bytesTotal: 3 * 1024 ** 3,
  bytesSent: 80 * 1024 ** 2,
  rate: 210 * 1024 ** 2,
  secondsLeft: 9,
};

describe('status for people', () => {
  test('a healthy primary, whole', () => {
    assert.equal(
      statusText(status(), view),
      [
        '/srv/data  Primary UpToDate  twinfs 1.2.3, native',
        '  role         Primary (PRIM)',
        '  data         UpToDate',
        '  mode         semi-sync: answered when the peer has received it',
        '  link         Connected 10.0.0.2:7400, heard 12 ms ago',
        '  replication  Established',
        '  peer data    UpToDate',
        '  lag          5 changes, 20.0 KiB, oldest 3 ms',
        '  stream       sent 12,345  received 12,340  applied 12,000  durable 11,000',
        '  generation   2222222222222222, base 2222222222222222, mirror 1111111111111111',
        '  state        /var/lib/twinfs/srv-data',
        '  processes    4711, 4712, up 10 min 0 s',
      ].join('\n'),
    );
  });

  test('alone: the reason, and no lag that would look harmless', () => {
    const text = statusText(
      status({
        service: 'ALONE',
        link: 'Connecting',
        replication: 'Off',
        wentAlone: true,
        peer: { address: '10.0.0.2:7400', data: null, silentMs: null },
        reason: 'the peer has not answered for 3.0 s',
      }),
      view,
    );
    assert.match(text, /^ {2}link {9}Connecting 10\.0\.0\.2:7400$/m);
    assert.match(text, /^ {2}lag {10}alone: changes since then are only here$/m);
    assert.match(text, /^ {2}reason {7}the peer has not answered/m);
    assert.match(text, /went alone$/m);
    assert.doesNotMatch(text, /peer data/);
  });

  test('a resync in progress: rate, time left, bar', () => {
    const text = statusText(status({ replication: 'SyncSource', sync }), view);
    const line =
      'pass 1: 33 %, 1.0 GiB of 3.0 GiB, 120 of 400 files, sent 80.0 MiB, 210 MiB/s, 9.0 s left';
    assert.equal(syncLine(sync), line);
    assert.ok(text.includes(`  resync       ${line}\n`));
    assert.match(text, /\[#{13}\.{27}\]/);
  });

  test('a resync never says done before it is, and one of nothing divides by nothing', () => {
    assert.match(syncLine({ ...sync, bytesDone: 3 * 1024 ** 3 - 1 }), / 99 %/);
    assert.match(syncLine({ ...sync, bytesDone: 9 * 1024 ** 3 }), / 100 %/);
    const empty = { ...sync, bytesTotal: 0, filesTotal: 0, filesDone: 0, secondsLeft: null };
    assert.match(syncLine(empty), / 0 %.*MiB\/s$/);
  });

  test('a secondary has neither lag nor mode help; a mount elsewhere is named', () => {
    const secondary = statusText(
      status({ role: 'Secondary', service: 'SECOND', mountpoint: null, engine: null }),
      view,
    );
    assert.doesNotMatch(secondary, /lag|answered|mounted at/);
    assert.match(secondary, /twinfs 1\.2\.3$/m);
    assert.match(statusText(status({ mountpoint: '/mnt/d' }), view), /mounted at {3}\/mnt\/d/);
  });

  test('no generation yet', () => {
    const text = statusText(status({ current: NO_ID, base: NO_ID, mirror: NO_ID }), view);
    assert.match(text, /generation {3}none, base none, mirror none/);
  });

  test('colour changes nothing but colour', () => {
    const busy = status({ sync, reason: 'r', rule: 'q', data: 'Inconsistent', wentAlone: true });
    const colored = statusText(busy, { ...view, color: true });
    assert.match(colored, /\x1b\[1;31mInconsistent\x1b\[0m/);
    assert.equal(colored.replace(/\x1b\[[0-9;]*m/g, ''), statusText(busy, view));
  });

  test('a mirror without a daemon, from its record', () => {
    const record = { role: 'Secondary', data: 'Consistent', clean: false };
    const text = stoppedText('/srv/data', '/var/lib/twinfs/srv-data', record, view);
    assert.match(
      text,
      /^\/srv\/data {2}not running {2}was Secondary Consistent, not ended in good/,
    );
    assert.match(text, /state {8}\/var\/lib\/twinfs\/srv-data$/);
    assert.match(stoppedText('/srv/data', '/s', null, view), /^\/srv\/data {2}not running$/m);
  });
});
