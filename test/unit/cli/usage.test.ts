/** The command as a user runs it: wrong usage, help, exit statuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runCli } from '../../helpers/cli.js';
import { cliMain, repoRoot } from '../../helpers/paths.js';
import { tempDir } from '../../helpers/temp-dir.js';

const COMMANDS = [
  ...['mount', 'umount', 'serve', 'stop', 'promote', 'connect', 'status', 'mode', 'flush'],
  ...['demo', 'version'],
];

describe('command line', () => {
  test('wrong usage: exit 2, one line, and where the help is', async () => {
    const cases: [string[], RegExp][] = [
      [[], /a command is missing \(see "twinfs --help"\)/],
      [['mont'], /unknown command or argument: mont \(see "twinfs --help"\)/],
      [['mount'], /DIR is missing \(see "twinfs mount --help"\)/],
      [['mount', '/x', '--peer'], /--peer needs a value \(see "twinfs mount --help"\)/],
      [['mount', '/x', '--peer', 'b'], /--peer b: not an address; write HOST:PORT/],
      [['mount', '/x', '--peer', 'localhost:0'], /port must be from 1 to 65535/],
      [['mount', '/x', '--peer', 'a:1', '--peer', 'b:1'], /--peer is given twice/],
      [['mount', '/x', '--mode', 'fast'], /--mode fast: must be one of sync, semi-sync, async/],
      [['mount', '/x', '--frobnicate'], /unknown option or argument: frobnicate/],
      [['mount', '/x', '-o', 'a=1'], /unknown option -o a; known are peer_timeout, on_peer_loss/],
      [['mount', '/x', '-o', 'workers=2,peer_timeout=3'], /peer_timeout needs a time/],
      [['mount', '/x', '--require-peer'], /--require-peer needs --peer/],
      [['mount', ''], /DIR is empty/],
      [['serve', '/x'], /--listen is missing \(see "twinfs serve --help"\)/],
      [['mode', '/x', 'fast'], /fast: not a mode; the modes are sync, semi-sync, async/],
      [['flush', '/x', '--timeout', 'soon'], /--timeout must be a number/],
      [['status', 'a', 'b'], /unknown command or argument: b/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await runCli(args);
      const shown = `twinfs ${args.join(' ')}: ${stderr}`;
      assert.equal(code, 2, shown);
      assert.match(stderr, message, shown);
      assert.match(stderr, /^twinfs: [^\n]+\(see "twinfs [^\n]*--help"\)\n$/, shown);
      assert.equal(stdout, '', shown);
    }
  });

  test('the background process is not for people', async () => {
    const { code, stderr } = await runCli(['daemon', '--state', '/nowhere']);
    assert.equal(code, 2);
    assert.match(stderr, /what "twinfs mount" and "twinfs serve" run/);
  });

  test('an unencrypted link beyond this machine: exit 14, naming the override', async () => {
    for (const args of [
      ['mount', '/nowhere', '--peer', 'b:7400'],
      ['serve', '/nowhere', '--listen', '0.0.0.0:7400'],
      ['promote', '/nowhere', '--peer', 'b:7400'],
      ['connect', '/nowhere', '--peer', 'b:7400'],
    ]) {
      const { code, stderr } = await runCli(args);
      assert.equal(code, 14, stderr);
      assert.match(stderr, /--insecure/);
    }
  });

  test('nothing runs: exit 11, naming how to start it', async () => {
    const commands = [['umount'], ['stop'], ['status'], ['flush'], ['promote'], ['connect']];
    for (const [command = ''] of commands) {
      const { code, stderr } = await runCli([command, '/nowhere']);
      assert.equal(code, 11, `${command}: ${stderr}`);
      assert.match(stderr, /nothing serves \/nowhere.*twinfs mount \/nowhere --peer/);
    }
    assert.equal((await runCli(['mode', '/nowhere', 'sync'])).code, 11);
  });

  test('every command has a help with an example that names it', async () => {
    const overview = await runCli(['--help']);
    assert.equal(overview.code, 0);
    for (const command of COMMANDS) {
      assert.match(overview.stdout, new RegExp(`^ {2}twinfs ${command}\\b`, 'm'));
      const { code, stdout } = await runCli([command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Examples:\n {2}# .+\n {2}twinfs ${command}\\b`));
    }
    assert.doesNotMatch(overview.stdout, /twinfs daemon/);
  });

  test('version, as a command and as an option', async () => {
    const manifest = JSON.parse(fs.readFileSync(join(repoRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal((await runCli(['--version'])).stdout, `${manifest.version}\n`);
    const { stdout } = await runCli(['version']);
    assert.match(stdout, new RegExp(`^twinfs ${manifest.version} \\(Node\\.js v.*Linux`));
  });

  test('status without DIR is a list, also for programs', async () => {
    const { code, stdout } = await runCli(['status', '--json']);
    assert.equal(code, 0);
    assert.ok(Array.isArray(JSON.parse(stdout)));
  });

  test('works through a symbolic link, as npx runs it', (t) => {
    const link = join(tempDir(t), 'twinfs');
    fs.symlinkSync(cliMain, link);
    assert.match(fs.readFileSync(cliMain, 'utf8'), /^#!\/usr\/bin\/env node\n/);
    const result = spawnSync(process.execPath, [link, 'version'], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
  });
});
