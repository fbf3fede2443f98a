/** A resync of a marked tree that changes all the time, except while the writers are held. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { MarkedTree } from './marked-tree.js';
import { END, resync, type PairResult } from './resync-pair.js';
import { tempDir, type Cleanup } from './temp-dir.js';
import { TreeMutator } from './tree-mutator.js';

export interface Live {
  readonly source: string;
  readonly target: string;
  readonly tree: MarkedTree;
  readonly mutator: TreeMutator;
  /** Runs the resync while `change` is called again and again, except when the writers are held. */
  run(
    change: () => void,
  ): Promise<PairResult & { readonly levels: number[]; readonly freezes: number }>;
}

export function makeLive(context: Cleanup, seed: number, files: number): Live {
  const base = tempDir(context, 'live');
  const [source, target] = [join(base, 'source'), join(base, 'target')];
  fs.mkdirSync(source);
  fs.mkdirSync(target);
  const tree = new MarkedTree(source);
  const mutator = new TreeMutator(tree, seed);
  for (let index = 0; index < files; index += 1) mutator.step();
  tree.takeMarks();
  const run: Live['run'] = async (change) => {
    let held = false;
    let over = false;
    let freezes = 0;
    const levels: number[] = [];
    const changing = (async () => {
      while (!over) {
        if (!held) change();
        // Slower when throttled, as a caller that opens the gate now and then.
        const turns = 1 + 20 * (levels.at(-1) ?? 0);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((go) => setImmediate(go));
      }
    })();
    try {
      const result = await resync({
        ...{ source, target, marks: tree, pendingMax: 8 },
        callbacks: {
          freeze: async () => {
            await new Promise((go) => setTimeout(go, 1));
            held = true;
            freezes += 1;
          },
          thaw: () => (held = false),
          switchOn: () => END,
          throttle: (level) => levels.push(level),
        },
      });
      return { ...result, levels, freezes };
    } finally {
      over = true;
      await changing;
    }
  };
  return { source, target, tree, mutator, run };
}
