/**
 * A directory handle is the kernel's to release as soon as it has its answer: readers that close at
 * once must not meet a handler that still uses it. The engine itself watches for that, and ends the
 * process.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountedRig, skip } from './session-rig.js';

const READERS = 6;
const READ_MS = 1000;
/** Opens, reads and closes the directory over and over; prints how often. */
const READER = `
  const fs = require('node:fs');
  let count = 0;
  for (const end = performance.now() + ${READ_MS}; performance.now() < end; count += 1) {
    if (fs.readdirSync('d').length !== 3) process.exit(1);
  }
  process.stdout.write(String(count));
`;

test('directories are closed while their last answer is given', { skip }, async (context) => {
  const rig = await mountedRig(context, {
    prepare: (source) => {
      fs.mkdirSync(join(source, 'd'));
      for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(source, 'd', name), '');
    },
  });
  const command = `${process.execPath} -e "${READER}"`;
  const counts = await Promise.all(Array.from({ length: READERS }, () => rig.sh(command)));
  for (const count of counts) assert.ok(Number(count) > 0, `read ${count} times`);
  context.diagnostic(`reads: ${counts.join(' ')}`);
});
