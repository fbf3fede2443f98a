import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { userWork } from '../helpers/app-user.js';
import { onMirror } from '../helpers/application.js';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';

const commands = ['setpriv', 'setfacl', 'getfacl', 'setfattr'];

describe('users of a mirror', { skip: missing({ fuse: true, addon: true, commands }) }, () => {
  test('the rules are those of a plain directory: owner, umask, setgid, ACLs', async (t) => {
    const plain = join(tempDir(t, 'plain'), 'data');
    fs.mkdirSync(plain);
    const expected = await userWork(plain);
    // What would make both equal for the wrong reason.
    assert.match(expected.attempts, /^mkdir folder: yes$/m);
    assert.match(expected.attempts, /^rm -f roots: no$/m);
    assert.match(expected.listing, /^team\/file -rw-r----- 65534 1717 5 $/m);
    assert.match(expected.listing, /^acl\/folder drwxrwx---/m);
    await onMirror(t, { mode: 'sync' }, async (mount) => {
      const found = await userWork(mount);
      assert.equal(found.attempts, expected.attempts);
      assert.equal(found.listing, expected.listing);
    });
  });
});
