/**
 * A process that changes a directory at random until it is told to stop: names,
 * attributes, links and contents. `node churn.js DIRECTORY SEED` is that process.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MarkedTree } from './marked-tree.js';
import type { Cleanup } from './temp-dir.js';
import { TreeMutator } from './tree-mutator.js';
import { waitFor } from './wait-for.js';

const STEPS_PER_TURN = 10;
/** Leaves the machine some time for those who are under test. */
const PAUSE_MS = 20;

export class Churn {
  readonly #child: ChildProcess;
  #steps = 0;
  #errors = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#steps += text.length));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  /** Makes `directory` and begins. */
  static start(context: Cleanup, directory: string, seed: number): Churn {
    const script = fileURLToPath(import.meta.url);
    const child = spawn(process.execPath, [script, directory, String(seed)], { stdio: 'pipe' });
    context.after(() => void child.kill('SIGKILL'));
    return new Churn(child);
  }

  /** Resolves when it has gone on by some turns; throws what ended it. */
  async goesOn(turns = 5): Promise<void> {
    const wanted = this.#steps + turns;
    await waitFor('the churn to go on', () => {
      this.#check();
      return this.#steps >= wanted;
    });
  }

  /** Throws what an operation met that it should not have. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await waitFor('the end of the churn', () => this.#child.exitCode !== null);
    this.#check();
  }

  #check(): void {
    if (this.#errors !== '') throw new Error(`the churn met an error: ${this.#errors}`);
  }
}

function run(directory: string, seed: number): void {
  fs.mkdirSync(directory);
  const tree = new MarkedTree(directory);
  const mutator = new TreeMutator(tree, seed);
  let isOver = false;
  process.stdin.on('end', () => (isOver = true)).resume();
  const turn = (): void => {
    if (isOver) process.exit(0);
    for (let step = 0; step < STEPS_PER_TURN; step += 1) mutator.step();
    tree.takeMarks();
    process.stdout.write('.');
    setTimeout(turn, PAUSE_MS);
  };
  turn();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory = '', seed = '1'] = process.argv.slice(2);
  run(directory, Number(seed));
}
