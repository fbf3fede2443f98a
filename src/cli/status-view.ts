/** A Status as a person reads it: aligned, the words first that say whether all is well. Pure. */
import type { Status, SyncStatus } from '../control/messages.js';
import { NO_ID } from '../core/types.js';
import { bytesText, countText, durationText, plural } from './units.js';

export interface ViewOptions {
  readonly color: boolean;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
}

type Paint = (text: string) => string;

interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
}

const plain: Paint = (text) => text;
const sgr =
  (code: string): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`;

const palette = (color: boolean): Palette =>
  color
    ? { bold: sgr('1'), dim: sgr('2'), good: sgr('32'), warn: sgr('33'), bad: sgr('1;31') }
    : { bold: plain, dim: plain, good: plain, warn: plain, bad: plain };

const LABEL_WIDTH = 13;

/** One mirror, several lines, no line end after the last. */
export function statusText(status: Status, options: ViewOptions): string {
  const paint = palette(options.color);
  const lines = [headline(status, paint)];
  const add = (label: string, value: string | null): void => {
    if (value !== null) lines.push(`  ${paint.dim(label.padEnd(LABEL_WIDTH))}${value}`);
  };
  add('role', `${status.role} ${paint.dim(`(${status.service})`)}`);
  add('data', dataText(status.data, paint));
  add('mode', modeText(status));
  add('link', linkText(status, paint));
  add('replication', replicationText(status, paint));
  add('peer data', status.peer.data === null ? null : dataText(status.peer.data, paint));
  add('lag', lagText(status, paint));
  add('stream', watermarkText(status));
  if (status.sync !== null) {
    add('resync', syncLine(status.sync));
    add('', progressBar(status.sync, paint));
  }
  add('reason', status.reason === null ? null : paint.warn(status.reason));
  add('rule', status.rule);
  add('generation', generationText(status, paint));
  add('mounted at', mountText(status));
  add('state', status.state);
  add('processes', `${status.pids.join(', ')}, ${sinceText(status.startedAt, options.now)}`);
  return lines.join('\n');
}

const headline = (status: Status, paint: Palette): string =>
  `${paint.bold(status.directory)}  ${status.role} ${dataText(status.data, paint)}` +
  paint.dim(`  twinfs ${status.version}${status.engine === null ? '' : `, ${status.engine}`}`);

function dataText(data: string, paint: Palette): string {
  switch (data) {
    case 'UpToDate':
      return paint.good(data);
    case 'Consistent':
      return data;
    case 'Outdated':
      return paint.warn(data);
    default:
      return paint.bad(data);
  }
}

const MODE_HELP = {
  sync: 'answered when on both disks',
  'semi-sync': 'answered when the peer has received it',
  async: 'answered when applied here',
} as const;

const modeText = (status: Status): string =>
  status.role === 'Primary' ? `${status.mode}: ${MODE_HELP[status.mode]}` : status.mode;

function linkText(status: Status, paint: Palette): string {
  const { address, silentMs } = status.peer;
  const state =
    status.link === 'Connected'
      ? paint.good(status.link)
      : status.link === 'StandAlone'
        ? paint.bad(status.link)
        : paint.warn(status.link);
  const where = address === null ? '' : ` ${address}`;
  const heard = silentMs === null ? '' : `, heard ${durationText(silentMs)} ago`;
  return `${state}${where}${heard}`;
}

const replicationText = (status: Status, paint: Palette): string =>
  status.replication === 'Established'
    ? paint.good(status.replication)
    : paint.warn(status.replication);

/** The lag is known to the primary only; alone it counts nothing, so it says that instead. */
function lagText(status: Status, paint: Palette): string | null {
  if (status.role !== 'Primary') return null;
  if (status.replication === 'Off') {
    return status.wentAlone ? paint.warn('alone: changes since then are only here') : null;
  }
  const { ops, bytes, oldestMs } = status.lag;
  if (ops === 0 && bytes === 0) return 'none';
  return `${plural(ops, 'change')}, ${bytesText(bytes)}, oldest ${durationText(oldestMs)}`;
}

function watermarkText(status: Status): string {
  const { sent, received, applied, durable } = status.watermarks;
  const parts: [string, number][] = [
    ['sent', sent],
    ['received', received],
    ['applied', applied],
    ['durable', durable],
  ];
  return parts.map(([word, seq]) => `${word} ${countText(seq)}`).join('  ');
}

/** "pass 1: 41 %, 1.2 GiB of 3.0 GiB, 120 of 400 files, sent 80 MiB, 210 MiB/s, 9.0 s left" */
export function syncLine(sync: SyncStatus): string {
  const left = sync.secondsLeft === null ? '' : `, ${durationText(sync.secondsLeft * 1000)} left`;
  return (
    `pass ${sync.pass}: ${Math.floor(fractionDone(sync) * 100)} %, ` +
    `${bytesText(sync.bytesDone)} of ${bytesText(sync.bytesTotal)}, ` +
    `${countText(sync.filesDone)} of ${plural(sync.filesTotal, 'file')}, ` +
    `sent ${bytesText(sync.bytesSent)}, ${bytesText(sync.rate)}/s${left}`
  );
}

/** By bytes, or by files where there are none; never says done before it is. */
function fractionDone(sync: SyncStatus): number {
  const [done, total] =
    sync.bytesTotal > 0
      ? [sync.bytesDone, sync.bytesTotal]
      : [sync.filesDone, Math.max(1, sync.filesTotal)];
  return Math.min(1, Math.max(0, done / total));
}

const BAR_WIDTH = 40;

function progressBar(sync: SyncStatus, paint: Palette): string {
  const filled = Math.floor(fractionDone(sync) * BAR_WIDTH);
  return `[${paint.good('#'.repeat(filled))}${paint.dim('.'.repeat(BAR_WIDTH - filled))}]`;
}

function generationText(status: Status, paint: Palette): string {
  const show = (id: string): string => (id === NO_ID ? 'none' : id);
  const alone = status.wentAlone ? paint.warn('  went alone') : '';
  return `${show(status.current)}, base ${show(status.base)}, mirror ${show(status.mirror)}${alone}`;
}

const mountText = (status: Status): string | null =>
  status.mountpoint === null || status.mountpoint === status.directory ? null : status.mountpoint;

function sinceText(startedAt: string, now: number): string {
  const started = Date.parse(startedAt);
  return Number.isNaN(started) ? 'running' : `up ${durationText(Math.max(0, now - started))}`;
}

/** A mirror that has no daemon, from its record. */
export function stoppedText(
  directory: string,
  stateDir: string,
  record: Readonly<Record<string, unknown>> | null,
  options: ViewOptions,
): string {
  const paint = palette(options.color);
  const was =
    record === null
      ? ''
      : `  was ${String(record['role'])} ${String(record['data'])}` +
        (record['clean'] === true ? '' : paint.warn(', not ended in good order'));
  const first = `${paint.bold(directory)}  ${paint.warn('not running')}${was}`;
  return `${first}\n  ${paint.dim('state'.padEnd(LABEL_WIDTH))}${stateDir}`;
}
