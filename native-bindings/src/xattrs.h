// Extended attributes of an open descriptor (O_PATH as well) or of a name in a directory, symlinks
// and special files included and never followed. Functions return 0 or a positive errno.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twinfs::disk {

// The mark of the mirror on the root of the tree: no op and no resync ever touches it.
inline constexpr std::string_view kRootMarkXattr = "trusted.twinfs";

struct Xattr {
  std::string name;
  std::string value;
};

// `name` null: the descriptor itself, else the entry `name` of the directory `fd`.
struct XattrPlace {
  int fd;
  const char* name;
};

// Names only; empty where the filesystem has no xattrs.
int ListXattrs(XattrPlace place, std::vector<std::string>* names);
int GetXattr(XattrPlace place, const char* attribute, std::string* value);
int SetXattr(XattrPlace place, const char* attribute, std::string_view value, int flags);
int RemoveXattr(XattrPlace place, const char* attribute);

// Names and values, sorted by name. One that vanishes meanwhile is left out.
int ReadXattrs(XattrPlace place, std::vector<Xattr>* out);

}  // namespace twinfs::disk
