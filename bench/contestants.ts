/**
 * Makes the directory that a workload runs in: raw, mounted alone, or mirrored to a second node.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TestNode, startPair } from '../test/helpers/node-process.js';
import { tempDir } from '../test/helpers/temp-dir.js';
import type { Cleanup } from '../test/helpers/temp-dir.js';
import type { Contestant } from './trials.js';

export interface Stage {
  /** Where the workload writes; empty, and any user may enter it. */
  readonly directory: string;
  readonly nodes: readonly TestNode[];
}

/** What runs at the end, last come first served. */
export class Cleanups implements Cleanup {
  readonly #actions: (() => Promise<void> | void)[] = [];

  after(action: () => Promise<void> | void): void {
    this.#actions.push(action);
  }

  async run(): Promise<void> {
    for (const action of this.#actions.splice(0).reverse()) await action();
  }
}

export async function prepare(contestant: Contestant, context: Cleanup): Promise<Stage> {
  if (contestant === 'raw') {
    const directory = join(tempDir(context, 'raw'), 'data');
    mkdirSync(directory);
    return { directory, nodes: [] };
  }
  if (contestant === 'alone') {
    const node = new TestNode(context, 'alone');
    // Of the modes, this one adds nothing of its own to a write while there is no peer.
    await node.mount(['--mode', 'semi-sync']);
    return { directory: node.directory, nodes: [node] };
  }
  const { primary, secondary } = await startPair(context, { mode: contestant });
  return { directory: primary.directory, nodes: [primary, secondary] };
}

/** Leaves in good order: what is queued arrives first. */
export async function finish(stage: Stage): Promise<void> {
  const [primary, secondary] = stage.nodes;
  if (primary !== undefined) await primary.must('umount', [], 120_000);
  if (secondary !== undefined) await secondary.must('stop', [], 120_000);
}
