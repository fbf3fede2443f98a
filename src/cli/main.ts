#!/usr/bin/env node
/** The twinfs command. */
import { fileURLToPath } from 'node:url';
import type { CliContext } from './context.js';
import { runCli } from './run.js';

// `twinfs status | head` is no error.
process.stdout.on('error', () => process.exit(0));
process.stderr.on('error', () => undefined);

const context: CliContext = {
  entry: { script: fileURLToPath(import.meta.url) },
  loadNode: async () => (await import('../node/node.js')).startNode,
  argv: process.argv.slice(2),
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  status: 0,
};

process.exit(await runCli(context));
