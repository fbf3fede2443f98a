/**
 * What is measured, as data: each trial names its workload, who takes part, what the others are
 * compared with, and the targets it must reach. Everything runs with both nodes on one machine.
 */
import type { Mode } from '../src/core/types.js';

/** `raw`: the directory itself. `alone`: mounted without a peer. Else: mirrored in that mode. */
export type Contestant = 'raw' | 'alone' | Mode;

/** How one figure is compared with another one of the same round. */
export type Comparison = 'ratio' | 'difference';

export interface Target {
  readonly contestant: Contestant;
  readonly against: Contestant;
  readonly comparison: Comparison;
  /** The comparison's median must be at least, or at most, this (a difference: in `unit`). */
  readonly least?: number;
  readonly most?: number;
}

export interface Trial {
  readonly name: string;
  readonly title: string;
  readonly workload: string;
  readonly contestants: readonly Contestant[];
  /** The column that ratios are given against. */
  readonly against: Contestant;
  /** The figure shown and judged; the others stay in the JSON. */
  readonly figure: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  readonly targets: readonly Target[];
  /** A second figure worth a column, such as the tail of a latency. */
  readonly also?: string;
}

const ALL: readonly Contestant[] = ['raw', 'alone', 'async', 'semi-sync', 'sync'];

export const TRIALS: readonly Trial[] = [
  {
    name: 'write-1',
    title: '4 KiB overwrite at random places, 1 writer, time to the answer',
    workload: 'writeLatency',
    contestants: ALL,
    against: 'alone',
    figure: 'p50',
    also: 'p99',
    unit: 'µs',
    better: 'lower',
    targets: [{ contestant: 'semi-sync', against: 'alone', comparison: 'difference', most: 90 }],
  },
  {
    name: 'write-16',
    title: '4 KiB overwrite at random places, 16 writers',
    workload: 'writeRate',
    contestants: ALL,
    against: 'alone',
    figure: 'rate',
    unit: 'writes/s',
    better: 'higher',
    targets: [{ contestant: 'semi-sync', against: 'alone', comparison: 'ratio', least: 0.3 }],
  },
  {
    name: 'sequential',
    title: '1 MiB writes to a new file, to the end of an fdatasync',
    workload: 'sequential',
    contestants: ALL,
    against: 'raw',
    figure: 'rate',
    unit: 'MiB/s',
    better: 'higher',
    targets: [{ contestant: 'semi-sync', against: 'raw', comparison: 'ratio', least: 0.33 }],
  },
  {
    name: 'small-files',
    title: 'create, write 4 KiB, close, as an archive is unpacked',
    workload: 'smallFiles',
    contestants: ALL,
    against: 'raw',
    figure: 'rate',
    unit: 'files/s',
    better: 'higher',
    targets: [],
  },
  {
    name: 'append-fsync',
    title: 'append 512 bytes, fdatasync, as a journal does',
    workload: 'appendSync',
    contestants: ALL,
    against: 'raw',
    figure: 'rate',
    unit: 'commits/s',
    better: 'higher',
    targets: [],
  },
  {
    name: 'postgres',
    title: 'PostgreSQL, pgbench scale 5, 4 clients',
    workload: 'postgres',
    contestants: ALL,
    against: 'raw',
    figure: 'rate',
    unit: 'tps',
    better: 'higher',
    targets: [
      { contestant: 'sync', against: 'raw', comparison: 'ratio', least: 0.4 },
      { contestant: 'semi-sync', against: 'raw', comparison: 'ratio', least: 0.5 },
    ],
  },
];

/** Resident memory allowed to all processes of a node, besides the configured queue. */
export const MEMORY_MIB_MAX = 200;
