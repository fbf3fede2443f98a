/** Commands of the system that a test cannot do without. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Cleanup } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** Runs it and gives its output; throws with that unless it exits 0. */
export function must(command: string, ...args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  if (result.status === 0) return result.stdout;
  throw new Error(`${command} ${args.join(' ')}: ${result.error?.message ?? result.stderr}`);
}

/** A shell that has said "ready" by the time this resolves, and ends with the test. */
export async function readyShell(
  context: Cleanup,
  script: string,
  cwd?: string,
): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], { cwd, stdio: ['pipe', 'pipe', 'ignore'] });
  context.after(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  await waitFor(`"${script}" to be ready`, () => text.includes('ready'));
  return child;
}
