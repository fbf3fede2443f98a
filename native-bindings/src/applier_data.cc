// Ops that change the content of regular files.
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applier_core.h"
#include "file_ranges.h"
#include "xattrs.h"

namespace twinfs::disk {

// What the kernel does on a write by a caller without CAP_FSETID: suid goes, sgid goes where the
// group may execute, file capabilities go. A root daemon's own write does not do it.
int ApplierCore::ClearPrivileges(uint32_t node, int fd) {
  if ((refs_.At(node).flags & Node::kMayHavePrivileges) == 0) return 0;
  struct stat st;
  if (fstat(fd, &st) != 0) return errno;
  mode_t mode = st.st_mode & 07777;
  mode &= ~static_cast<mode_t>(S_ISUID);
  if ((mode & S_IXGRP) != 0) mode &= ~static_cast<mode_t>(S_ISGID);
  if (mode != (st.st_mode & 07777)) {
    if (fchmod(fd, mode) != 0) return errno;
    MarkDirty(node, kDirtyAttributes);
  }
  const int err = RemoveXattr({fd, nullptr}, "security.capability");
  if (err != 0 && err != ENODATA && err != ENOTSUP) return err;
  // A sgid bit that stayed can become one that goes only by a chmod, which sets the flag again.
  refs_.At(node).flags &= ~Node::kMayHavePrivileges;
  return 0;
}

int ApplierCore::Write(uint64_t ref, int64_t offset, std::string_view data, bool killPriv) {
  uint32_t node;
  int fd;
  if (const int err = FileFd(ref, &node, &fd)) return err;
  if (fd < 0) return 0;
  if (killPriv) {
    if (const int err = ClearPrivileges(node, fd)) return err;
  }
  MarkDirty(node, kDirtyData);
  return WriteFully(fd, data, offset);
}

int ApplierCore::Truncate(uint64_t ref, int64_t size, bool killPriv) {
  uint32_t node;
  int fd;
  if (const int err = FileFd(ref, &node, &fd)) return err;
  if (fd < 0) return 0;
  if (killPriv) {
    if (const int err = ClearPrivileges(node, fd)) return err;
  }
  MarkDirty(node, kDirtyData);
  return ftruncate(fd, size) == 0 ? 0 : errno;
}

int ApplierCore::Fallocate(uint64_t ref, int mode, int64_t offset, int64_t length) {
  uint32_t node;
  int fd;
  if (const int err = FileFd(ref, &node, &fd)) return err;
  if (fd < 0) return 0;
  MarkDirty(node, kDirtyData);
  return Allocate(fd, mode, offset, length);
}

int ApplierCore::CopyRangeTo(uint64_t from, int64_t fromOffset, uint64_t ref, int64_t offset,
                             int64_t length) {
  uint32_t source;
  uint32_t node;
  int sourceFd;
  int fd;
  if (const int err = FileFd(from, &source, &sourceFd)) return err;
  if (const int err = FileFd(ref, &node, &fd)) return err;
  if (fd < 0) return 0;
  if (sourceFd < 0) return ESTALE;
  MarkDirty(node, kDirtyData);
  return CopyRange(sourceFd, fromOffset, fd, offset, length);
}

}  // namespace twinfs::disk
