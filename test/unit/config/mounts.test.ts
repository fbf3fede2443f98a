import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  bindMountsOf,
  directoryOfMount,
  isReadOnlyBind,
  isTwinfs,
  mountAt,
  mountOf,
  mountsBelow,
  parseMountinfo,
} from '../../../src/config/mounts.js';

const parse = (...lines: string[]) =>
  parseMountinfo(Buffer.from(lines.join('\n') + '\n', 'latin1'));
const at = (path: string): Buffer => Buffer.from(path, 'latin1');

const ROOT = '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw';
const DATA = '21 20 8:2 / /srv rw - xfs /dev/sdb rw';
const MIRROR = '30 21 0:50 / /srv/data rw,nosuid - fuse.twinfs /srv/data rw,user_id=0';

describe('mountinfo', () => {
  test('fields, with and without optional ones', () => {
    const [root, data, rest] = parse(ROOT, DATA);
    assert.equal(rest, undefined);
    assert.deepEqual(root, {
      id: 20,
      parent: 1,
      device: '8:1',
      root: at('/'),
      mountpoint: at('/'),
      readOnly: false,
      type: 'ext4',
      source: at('/dev/sda1'),
    });
    assert.equal(data?.type, 'xfs');
    assert.equal(parse('1 2 0:1 / /x ro shared:1 master:2 - tmpfs t rw')[0]?.readOnly, true);
  });

  test('octal escapes and bytes that are no text', () => {
    const [entry] = parse('1 2 0:1 / /a\\040b\\011\\012\\134040\xff rw - tmpfs my\\040source rw');
    assert.equal(entry?.mountpoint.toString('latin1'), '/a b\t\n\\040\xff');
    assert.equal(entry?.source.toString(), 'my source');
  });

  test('broken lines are left out', () => {
    assert.deepEqual(parse('', 'nonsense', '1 2 0:1 / /x rw shared:1'), []);
  });

  test('a mirror is known by its type, and says which directory it shows', () => {
    const [mirror, elsewhere, odd, other] = parse(
      MIRROR,
      '31 21 0:51 / /m rw - fuse.twinfs /d\\040d rw',
      '32 21 0:52 / /n rw - fuse.twinfs twinfs rw',
      '33 21 0:53 / /o rw - fuse.sshfs /d rw',
    );
    assert.ok(mirror && elsewhere && odd && other);
    const all = [mirror, elsewhere, odd, other];
    assert.deepEqual(all.map(isTwinfs), [true, true, true, false]);
    assert.deepEqual(
      all.map((entry) => directoryOfMount(entry)?.toString() ?? null),
      ['/srv/data', '/d d', null, null],
    );
  });

  test('the uppermost mount at a path, the mount a path lies on, mounts below', () => {
    const mounts = parse(ROOT, DATA, MIRROR, '31 30 0:51 / /srv/data rw - tmpfs t rw');
    assert.equal(mountAt(mounts, at('/srv/data'))?.id, 31);
    assert.equal(mountAt(mounts, at('/srv/dat')), null);
    assert.equal(mountOf(mounts, at('/srv/database'))?.id, 21);
    assert.equal(mountOf(mounts, at('/srv/data/x'))?.id, 31);
    assert.equal(mountOf(mounts, at('/'))?.id, 20);
    assert.deepEqual(
      mountsBelow(mounts, at('/srv')).map((entry) => entry.id),
      [30, 31],
    );
  });

  test('a read-only bind mount of a directory upon itself', () => {
    const self = '40 21 8:2 /data /srv/data ro - xfs /dev/sdb rw';
    const check = (line: string) => {
      const mounts = parse(ROOT, DATA, line);
      const last = mounts[2];
      assert.ok(last);
      return isReadOnlyBind(mounts, last);
    };
    assert.equal(check(self), true);
    assert.equal(check(self.replace(' ro ', ' rw ')), false);
    assert.equal(check(self.replace('8:2 /data', '8:2 /other')), false);
    assert.equal(check(self.replace('8:2', '8:3')), false);
    const onRoot = parse(ROOT, '41 20 8:1 /srv/x /srv/x ro - ext4 /dev/sda1 rw');
    assert.ok(onRoot[1]);
    assert.equal(isReadOnlyBind(onRoot, onRoot[1]), true);
  });

  test('bind mounts that show a directory elsewhere', () => {
    const mounts = parse(
      ROOT,
      DATA,
      '50 20 8:2 /data /mnt/same rw - xfs /dev/sdb rw',
      '51 20 8:2 /data/sub /mnt/part rw - xfs /dev/sdb rw',
      '52 20 8:2 /data2 /mnt/no rw - xfs /dev/sdb rw',
      '53 20 8:9 /data /mnt/other rw - xfs /dev/sdc rw',
    );
    assert.deepEqual(
      bindMountsOf(mounts, at('/srv/data')).map((entry) => entry.id),
      [50, 51],
    );
    assert.deepEqual(bindMountsOf(mounts, at('/srv/elsewhere')), []);
  });
});
