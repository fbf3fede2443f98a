/** Runs a command of twinfs as a user does: dist/src/cli/main.js in a process of its own. */
import { spawn } from 'node:child_process';
import { cliMain } from './paths.js';

export interface CliResult {
  /** Exit code; null when it had to be killed at its limit. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /**
   * Another script than the real one; test/fixtures/fake-main.ts has a pretended node behind it.
   */
  readonly script?: string;
  /** Run as this user and group. */
  readonly uid?: number;
}

const CLI_TIMEOUT_MS = 30_000;

export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [options.script ?? cliMain, ...args], {
    cwd: options.cwd,
    uid: options.uid,
    gid: options.uid,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? CLI_TIMEOUT_MS);
    child.once('error', reject);
    // 'exit' and a turn for the pipes: a daemon that inherited them by mistake must not hang the
    // test here.
    child.once('exit', (code) => {
      clearTimeout(timer);
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ code, stdout, stderr });
      }, 10);
    });
  });
}

/**
 * Like runCli, and throws with everything it printed unless it exits 0. Returns standard output.
 */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, options);
  if (code === 0) return stdout;
  const what = code === null ? 'did not end in time' : `exited ${code}`;
  throw new Error(`twinfs ${args.join(' ')} ${what}\n${stdout}${stderr}`);
}
