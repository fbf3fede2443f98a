// Changing the tree below a root by path.
#include "tree_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "beneath.h"
#include "file_meta.h"

namespace twinfs::disk {

int MakeEntryBeneath(int rootFd, std::string_view path, mode_t mode, dev_t rdev,
                     std::string_view target) {
  if (path.empty()) return EEXIST;
  Place place;
  if (const int err = FindPlace(rootFd, path, &place)) return err;
  const char* name = place.name.c_str();
  const mode_t permissions = mode & 0777;
  int made = -1;
  switch (mode & S_IFMT) {
    case S_IFREG:
      made = mknodat(place.directory, name, S_IFREG | permissions, 0);
      break;
    case S_IFDIR:
      made = mkdirat(place.directory, name, permissions);
      break;
    case S_IFLNK:
      made = symlinkat(std::string(target).c_str(), place.directory, name);
      break;
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      made = mknodat(place.directory, name, (mode & S_IFMT) | permissions, rdev);
      break;
    default:
      return EINVAL;
  }
  return made == 0 ? 0 : errno;
}

int LinkBeneath(int rootFd, std::string_view from, std::string_view to) {
  Place source;
  Place target;
  if (const int err = FindPlace(rootFd, from, &source)) return err;
  if (const int err = FindPlace(rootFd, to, &target)) return err;
  const int linked = linkat(source.directory, source.name.c_str(), target.directory,
                            target.name.c_str(), 0);
  return linked == 0 ? 0 : errno;
}

int SetMetaBeneath(int rootFd, std::string_view path, const TreeMeta& meta) {
  Fd fd;
  if (const int err = OpenBeneath(rootFd, path, O_PATH, 0, &fd)) return err;
  struct stat st;
  if (fstat(fd.Get(), &st) != 0) return errno;
  const bool isSymlink = S_ISLNK(st.st_mode);
  bool changed;
  // The first time for the owner, which drops capabilities and suid bits; the second for the mode
  // that an ACL among the xattrs may have changed.
  if (const int err = SetOwnerAndMode(fd.Get(), isSymlink, meta.mode, meta.uid, meta.gid,
                                      &changed)) {
    return err;
  }
  if (const int err = SetExactXattrs(fd.Get(), meta.xattrs, path.empty())) return err;
  if (const int err = SetOwnerAndMode(fd.Get(), isSymlink, meta.mode, meta.uid, meta.gid,
                                      &changed)) {
    return err;
  }
  return SetTimes(fd.Get(), meta.mtimeNs, nullptr);
}

}  // namespace twinfs::disk
