/** A tree with everything a filesystem can hold, for archivers. */
import * as fs from 'node:fs';
import { run, shell } from './application.js';

/** Names of bytes that are no UTF-8, hard links, special files, holes, xattrs, ACLs, old times. */
const SCRIPT = `
mkdir -p deep/er/est 'name with spaces'
printf 'text' > deep/er/est/file
head -c 3000000 /dev/urandom > deep/large
ln deep/large 'name with spaces/large again'
ln deep/large large-too
ln -s deep/large relative
ln -s /nowhere/at/all dangling
ln -s "$(head -c 900 /dev/zero | tr '\\0' x)" long-target
truncate -s 50M hole
printf 'end' >> hole
: > empty
mkfifo fifo
mknod character c 1 3
mknod block b 7 99
printf 'bytes' > "$(printf 'caf\\351\\n\\001')"
printf '#!/bin/sh\\n' > suid
chown 65534:65534 suid deep/er
chmod 6755 suid
chmod 3777 deep/er
chmod 0 empty
setfattr -n user.note -v 'a value' deep/large
setfattr -n user.binary -v 0x00ff0a deep
setfattr -n trusted.note -v root hole
setfacl -m u:1234:rwx,g:1235:r deep/er/est/file
setfacl -d -m u:1234:rwx deep
for i in $(seq 200); do printf $i > deep/er/$i; done
touch -h -d '1999-12-31 23:59:59.123456789Z' relative deep/er/est/file deep/er
`;

export async function makeRichTree(directory: string): Promise<void> {
  fs.mkdirSync(directory, { recursive: true });
  await shell(SCRIPT, { cwd: directory });
}

/** Copies by tar, with everything it can carry. */
export async function copyByTar(from: string, to: string): Promise<void> {
  fs.mkdirSync(to);
  const all = '--xattrs --xattrs-include="*" --acls --numeric-owner --sparse';
  await shell(`tar ${all} -cf - -C "$FROM" . | tar ${all} -xpf - -C "$TO"`, {
    env: { FROM: from, TO: to },
  });
}

/** Times are compared to the nanosecond; by its own, rsync leaves what is of the same second. */
export const copyByRsync = (from: string, to: string, ...more: string[]): Promise<string> =>
  run('rsync', [
    '-aHAX',
    '--modify-window=-1',
    '--numeric-ids',
    '--devices',
    '--specials',
    ...more,
    `${from}/`,
    to,
  ]);
