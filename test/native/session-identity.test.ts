/**
 * Who does it, and with which umask: the same scripts, run by the same users, on a plain directory
 * and on the mount, must leave the same owners, modes, ACLs and refusals.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing } from '../helpers/requires.js';
import { tempDir } from '../helpers/temp-dir.js';
import { compareTrees } from '../helpers/tree-compare.js';
import { mountedRig, runIn, skip } from './session-rig.js';

const skipUsers = skip || missing({ commands: ['setpriv', 'setfacl'] });

/** Runs `script` as uid 1001, gid 1002, member of 1003. */
const asUser = (script: string): string =>
  `setpriv --reuid=1001 --regid=1002 --groups=1003 sh -c '${script}'`;

const SCRIPTS: Readonly<Record<string, string>> = {
  'owner and umask': asUser(
    'umask 027; echo x > f; mkdir d; ln -s f s; mkfifo p; umask 0; mkdir e; echo y > g',
  ),
  'refusals of the kernel': asUser(
    'echo x > root/f; mkdir root/d; rm root/file; mv root/file r; chmod 777 root/file; chown 1001 root/file; ls root/secret; cat root/hidden; ln root/hidden h; mknod n c 1 3; true',
  ),
  'set-group-id directories': `mkdir sg; chgrp 1003 sg; chmod 2777 sg; mkdir other; chgrp 1004 other; chmod 2777 other; ${asUser(
    'umask 0; for d in sg other; do mkdir -m 2775 $d/d; echo x > $d/f; chmod 2755 $d/f; cp /bin/true $d/t; chmod 6755 $d/t; done',
  )}`,
  'default ACLs': `mkdir acl; chmod 777 acl; setfacl -d -m u:1005:rwx,g:1003:rx acl; ${asUser(
    'umask 077; mkdir acl/d; echo x > acl/f; mkdir acl/d/e; mkfifo acl/p; setfacl -m u:1006:r acl/f; cp acl/f acl/g',
  )}`,
  'a write takes set-user-id away': `cp /bin/true suid; cp /bin/true sgid; chown 1001:1002 suid sgid; chmod 6777 suid; chmod 2767 sgid; ${asUser(
    'echo x >> suid; stat -c %a suid; echo x >> sgid; stat -c %a sgid',
  )}`,
  'truncation takes set-user-id away': `cp /bin/true a; cp /bin/true b; chown 1001 a b; chmod 6777 a b; ${asUser(
    'truncate -s 10 a; stat -c %a a; : > b; stat -c %a b',
  )}`,
  'fallocate takes set-user-id away': `cp /bin/true a; chown 1001 a; chmod 6777 a; ${asUser(
    'fallocate -l 100000 a; stat -c %a a',
  )}`,
  'chown takes set-user-id away': `cp /bin/true a; chmod 6755 a; chown 1001 a; stat -c %a a; cp /bin/true b; chown 1001:1002 b; chmod 6755 b; ${asUser(
    'chgrp 1003 b; stat -c %a b; chgrp 1009 b; stat -c %g b',
  )}`,
  'sticky directories': `mkdir -m 1777 t; touch t/roots; ${asUser(
    'touch t/mine; rm t/mine; rm -f t/roots; mv t/roots t/x; ls t',
  )}`,
  'special files and symlink owners': `mknod c c 1 3; mknod b b 7 300; mkfifo p; ln -s x l; chown -h 1001:1002 l c b p; touch -h -d 2001-02-03 l`,
};

function prepare(directory: string): void {
  fs.chmodSync(directory, 0o777);
  const root = join(directory, 'root');
  fs.mkdirSync(join(root, 'secret'), { recursive: true });
  fs.chmodSync(join(root, 'secret'), 0o700);
  for (const name of ['file', 'hidden']) fs.writeFileSync(join(root, name), name);
  fs.chmodSync(join(root, 'hidden'), 0o600);
}

/** Times of creation differ between the two runs. */
const withoutTimes = (differences: readonly string[]): string[] =>
  differences.filter((line) => !line.includes(': mtime'));

for (const [what, script] of Object.entries(SCRIPTS)) {
  test(`as on a plain directory: ${what}`, { skip: skipUsers }, async (context) => {
    const plain = join(tempDir(context, 'plain'), 'd');
    fs.mkdirSync(plain);
    prepare(plain);
    const rig = await mountedRig(context, { stream: 'on', prepare });
    const [expected, actual] = [await runIn(plain, script), await rig.run(script)];
    assert.equal(actual.output, expected.output);
    assert.equal(actual.status, expected.status);
    assert.deepEqual(withoutTimes(await compareTrees(plain, rig.source)), []);
    // What applications see is what is there: nothing is stale in the kernel's caches.
    assert.deepEqual(await compareTrees(rig.mountpoint, rig.source), []);
  });
}

test('the mark on the root is the program itself only', { skip }, async (context) => {
  const rig = await mountedRig(context, { stream: 'on' });
  await rig.sh('setfattr -n trusted.other -v x . && setfattr -n user.other -v x .');
  assert.notEqual((await rig.run('setfattr -n trusted.twinfs -v x .')).status, 0);
  assert.equal((await runIn(rig.source, 'setfattr -n trusted.twinfs -v x .')).status, 0);
  assert.match((await rig.run('getfattr -n trusted.twinfs .')).output, /No such attribute/);
  assert.notEqual((await rig.run('setfattr -x trusted.twinfs .')).status, 0);
  const names = await rig.sh('getfattr -m - . | grep =*');
  assert.match(names, /trusted\.other/);
  assert.doesNotMatch(names, /trusted\.twinfs/);
  const theirs = await rig.sh(asUser('getfattr -m - .'));
  assert.match(theirs, /user\.other/);
  assert.doesNotMatch(theirs, /trusted/);
});
