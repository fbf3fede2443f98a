// Paths and names below a root descriptor. Nothing here follows a symlink, crosses a mount or
// leaves the root, whatever the tree holds. Functions return 0 or a positive errno.
#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>

#include "fd.h"

namespace twinfs::disk {

// openat2(2) of one short path with RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV.
// O_CLOEXEC is added.
int OpenAtBeneath(int dirFd, const char* path, int flags, mode_t mode, Fd* out);

// A single name: not empty, not "." or "..", without '/' and NUL, at most NAME_MAX bytes.
bool IsEntryName(std::string_view name);

// Where a path leads: the opened directory and the last name in it. The path is not empty.
struct Place {
  Fd opened;        // holds `directory`, unless that is the root itself
  int directory = -1;
  std::string name;
};

// Walks to the parent of `path`, in steps, so that paths longer than PATH_MAX work. ELOOP for a
// symlink on the way, ENOTDIR for a file, EXDEV for a mount point; EINVAL for "", ".", "..", empty
// components and NUL.
int FindPlace(int rootFd, std::string_view path, Place* out);

// Opens `path`; "" is the root itself.
int OpenBeneath(int rootFd, std::string_view path, int flags, mode_t mode, Fd* out);

}  // namespace twinfs::disk
