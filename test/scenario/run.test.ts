/**
 * Replays test/scenario/*.txt. UPDATE=1 writes what the core does now into the files: read the
 * diff.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../helpers/paths.js';
import { LinkWorld } from './link-verbs.js';
import { NodeWorld } from './node-verbs.js';
import { parse, replay } from './script.js';

const directory = join(repoRoot, 'test/scenario');
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'));

test('there are scenarios', () => assert.ok(names.length >= 8));

for (const name of names.sort()) {
  test(name, () => {
    const path = join(directory, name);
    const text = readFileSync(path, 'utf8');
    const nodes = new NodeWorld();
    const link = new LinkWorld();
    const now = replay(text, (command) => {
      const output = nodes.execute(command) ?? link.execute(command);
      assert.ok(output !== null, `unknown verb "${command.verb}"`);
      return output;
    });
    if (process.env['UPDATE'] === '1') writeFileSync(path, now);
    else assert.equal(now, text, `${name} says otherwise; UPDATE=1 rewrites it`);
    assert.ok(parse(now).length > 1, 'a scenario has several steps');
  });
}
