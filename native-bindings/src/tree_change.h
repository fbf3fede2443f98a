// Changing the tree below a root by path: what a resync does to its target. Functions return 0 or a
// positive errno.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include <string_view>
#include <vector>

#include "xattrs.h"

namespace twinfs::disk {

struct TreeMeta {
  mode_t mode;
  uid_t uid;
  gid_t gid;
  int64_t mtimeNs;
  std::vector<Xattr> xattrs;
};

// A new regular file, directory, symlink, fifo, socket or device by the type bits of `mode`, with
// its permission bits as far as the umask lets them; suid, sgid and sticky come with SetMeta.
int MakeEntryBeneath(int rootFd, std::string_view path, mode_t mode, dev_t rdev,
                     std::string_view target);

int LinkBeneath(int rootFd, std::string_view from, std::string_view to);

// Owner, exactly these xattrs, mode, then mtime. Symlinks have no mode.
int SetMetaBeneath(int rootFd, std::string_view path, const TreeMeta& meta);

// The name and all below it; a name that is not there is no error. EINVAL for the root, EXDEV at a
// mount point.
int RemoveBeneath(int rootFd, std::string_view path);

}  // namespace twinfs::disk
