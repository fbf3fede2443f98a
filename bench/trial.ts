/**
 * One trial in a process of its own: `node trial.js WORKLOAD CONTESTANT [quick]`. Sets the stage
 * up, runs the workload, clears the stage, and prints the figures as one line of JSON.
 */
import { TRIALS, type Contestant } from './trials.js';
import { Cleanups, finish, prepare } from './contestants.js';
import { WORKLOADS, type Figures } from './workloads.js';

async function run(workload: string, contestant: Contestant, quick: boolean): Promise<Figures> {
  const work = WORKLOADS[workload];
  if (work === undefined) throw new Error(`no workload "${workload}"`);
  const cleanups = new Cleanups();
  try {
    const stage = await prepare(contestant, cleanups);
    const figures = await work(stage.directory, quick);
    await finish(stage);
    return figures;
  } finally {
    await cleanups.run();
  }
}

const [workload = '', contestant = '', how = ''] = process.argv.slice(2);
const known = TRIALS.flatMap((trial) => trial.contestants).find((one) => one === contestant);
if (known === undefined) throw new Error(`no contestant "${contestant}"`);
process.stdout.write(`${JSON.stringify(await run(workload, known, how === 'quick'))}\n`);
