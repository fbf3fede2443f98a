// Reading the tree below a root: directories and single entries with all that a comparison needs.
#pragma once
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "xattrs.h"

namespace twinfs::disk {

struct TreeEntry {
  std::string name;
  struct stat st;
  std::string target;  // of a symlink
  std::vector<Xattr> xattrs;
};

// Functions return 0 or a positive errno.

// All entries but "." and "..", sorted by the bytes of their names. One that vanishes meanwhile is
// left out.
int ReadDirectory(int rootFd, std::string_view path, std::vector<TreeEntry>* out);

// One entry; "" is the root itself, whose name is empty and whose twinfs mark is left out.
int ReadEntry(int rootFd, std::string_view path, TreeEntry* out);

// The records that src/io/tree-entries.ts unpacks, one after the other (layout there).
std::string PackEntries(const std::vector<TreeEntry>& entries);

}  // namespace twinfs::disk
