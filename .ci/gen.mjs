/**
 * Generates the protobufjs static module src/wire/twinfs.pb.js and its .d.ts from twinfs.proto.
 * They are committed, so that a build needs no generator. `--check` writes nothing and fails when
 * they are stale.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const proto = 'src/wire/twinfs.proto';
const outputs = ['twinfs.pb.js', 'twinfs.pb.d.ts'];
const options =
  '-t static-module -w esm --force-number --no-create --no-verify --no-convert --no-delimited ' +
  '--no-typeurl --no-service';

/** `--dts` imports Long even where nothing uses it; strict ESM consumers would stumble over it. */
const tidy = (text) => text.replace(/^import Long = require\("long"\);\n/m, '');

/** Two runs: the types are made from the comments, which the module itself does not need. */
function generate(directory) {
  const pbjs = join(root, 'node_modules/.bin/pbjs');
  const target = join(directory, outputs[0]);
  const run = (...more) =>
    execFileSync(pbjs, [...options.split(' '), ...more, '-o', target, proto], { cwd: root });
  run('--dts');
  run('--no-comments');
  return outputs.map((name) => tidy(readFileSync(join(directory, name), 'utf8')));
}

const directory = mkdtempSync(join(tmpdir(), 'twinfs-gen-'));
try {
  const texts = generate(directory);
  const paths = outputs.map((name) => join(root, 'src/wire', name));
  if (process.argv.includes('--check')) {
    const stale = paths.filter((path, i) => readFileSync(path, 'utf8') !== texts[i]);
    for (const path of stale)
      console.error(`${path} is stale: run "node .ci/gen.mjs" and commit it`);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    paths.forEach((path, i) => writeFileSync(path, texts[i]));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
