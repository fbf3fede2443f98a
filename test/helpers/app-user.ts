/**
 * What a user without privileges does, as one script: it runs on a plain directory and on a mirror,
 * and must find the same rules on both. Every command's exit status is part of what it prints.
 */
import { run, shell } from './application.js';

export const USER = 65534;
const GROUP = 1717;

/** As root, in an empty directory. */
const PREPARE = `
chmod 755 .
mkdir -m 1777 shared
mkdir team && chown 0:${GROUP} team && chmod 2775 team
mkdir acl && chmod 777 acl && setfacl -d -m u:1234:rwx,g::r-x,o::--- acl
mkdir private && chmod 700 private && printf secret > private/file
printf root > shared/roots && chmod 644 shared/roots
printf root > shared/listed && chmod 600 shared/listed && setfacl -m u:${USER}:rw shared/listed
printf x > shared/suid && chown ${USER}:${USER} shared/suid && chmod 6777 shared/suid
`;

const ATTEMPTS = `
try() { if "$@" 2>/dev/null; then echo "$*: yes"; else echo "$*: no"; fi; }
umask 027
cd shared
try sh -c 'echo text > file'
try mkdir folder
try ln -s file link
try mkfifo pipe
try ln file second
try mknod device c 1 3
try chown 0 file
try chgrp ${GROUP} file
try chgrp 0 file
try chmod 4711 file
try chmod 644 roots
try rm -f roots
try mv roots mine
try sh -c 'cat roots'
try sh -c 'echo more >> roots'
try sh -c 'echo more >> listed'
try sh -c 'echo more >> suid'
try touch -d '2001-02-03 04:05:06Z' file
try touch -d '2001-02-03 04:05:06Z' roots
try touch roots
try setfattr -n user.mine -v 1 file
try setfattr -n user.mine -v 1 roots
try setfattr -n trusted.mine -v 1 file
try setfacl -m u:7:r file
try sh -c 'cat ../private/file'
try ls ../private
try sh -c 'echo text > ../new'
cd ../team
try sh -c 'echo text > file'
try mkdir folder
try sh -c 'echo text > folder/file'
try chmod 2755 folder/file
cd ../acl
try sh -c 'echo text > file'
try mkdir folder
try sh -c 'echo text > folder/file'
`;

/** Modes, owners, sizes and ACLs of all there is. */
const LISTING =
  'find . -printf "%P %M %U %G %s %l\\n" | LC_ALL=C sort; ' +
  'find . ! -type l -print0 | LC_ALL=C sort -z | xargs -0 getfacl -nps';

export interface UserResult {
  readonly attempts: string;
  readonly listing: string;
}

/** Runs the script in `directory` (root's, empty) as user 65534 with the one extra group. */
export async function userWork(directory: string): Promise<UserResult> {
  await shell(PREPARE, { cwd: directory });
  const who = [`--reuid=${USER}`, `--regid=${USER}`, `--groups=${GROUP}`];
  const attempts = await run('setpriv', [...who, 'sh', '-c', ATTEMPTS], { cwd: directory });
  return { attempts, listing: await shell(LISTING, { cwd: directory }) };
}
