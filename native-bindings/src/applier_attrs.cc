// Ops that change owner, mode, times and xattrs, through descriptors that may be O_PATH, symlinks
// included.
#include <errno.h>
#include <sys/stat.h>

#include <string>

#include "applier_core.h"
#include "file_meta.h"
#include "xattrs.h"

namespace twinfs::disk {
namespace {

bool IsPrivilegeXattr(std::string_view name) { return name.substr(0, 9) == "security."; }

}  // namespace

// Every node of this inode: two refs may stand for it.
void ApplierCore::MayHavePrivileges(uint32_t node) {
  for (uint32_t it = refs_.FindInode(refs_.At(node).inode); it != kNone;
       it = refs_.NextOfInode(it)) {
    refs_.At(it).flags |= Node::kMayHavePrivileges;
  }
}

int ApplierCore::SetAttr(uint64_t ref, mode_t mode, uid_t uid, gid_t gid) {
  uint32_t node;
  int fd;
  if (const int err = FindNode(ref, &node)) return err;
  if ((refs_.At(node).flags & Node::kLost) != 0) return 0;
  if (const int err = PathFd(node, &fd)) return err;
  const bool isSymlink = refs_.At(node).type == NodeType::kSymlink;
  bool changed;
  const int err = SetOwnerAndMode(fd, isSymlink, mode, uid, gid, &changed);
  if ((mode & (S_ISUID | S_ISGID)) != 0) MayHavePrivileges(node);
  if (changed) MarkDirty(node, kDirtyAttributes);
  return err;
}

int ApplierCore::Times(uint64_t ref, int64_t mtimeNs, bool hasAtime, int64_t atimeNs) {
  uint32_t node;
  int fd;
  if (const int err = FindNode(ref, &node)) return err;
  if ((refs_.At(node).flags & Node::kLost) != 0) return 0;
  if (const int err = PathFd(node, &fd)) return err;
  return SetTimes(fd, mtimeNs, hasAtime ? &atimeNs : nullptr);
}

int ApplierCore::SetXattrOf(uint64_t ref, std::string_view name, std::string_view value,
                            int flags) {
  if (ref == kRootRef && name == kRootMarkXattr) return 0;
  uint32_t node;
  int fd;
  if (const int err = FindNode(ref, &node)) return err;
  if ((refs_.At(node).flags & Node::kLost) != 0) return 0;
  if (const int err = PathFd(node, &fd)) return err;
  const std::string attribute(name);
  if (const int err = SetXattr({fd, nullptr}, attribute.c_str(), value, flags)) return err;
  if (IsPrivilegeXattr(name)) MayHavePrivileges(node);
  MarkDirty(node, kDirtyAttributes);
  return 0;
}

// One that is not there is removed already: a chown, for one, takes file capabilities along.
int ApplierCore::RemoveXattrOf(uint64_t ref, std::string_view name) {
  if (ref == kRootRef && name == kRootMarkXattr) return 0;
  uint32_t node;
  int fd;
  if (const int err = FindNode(ref, &node)) return err;
  if ((refs_.At(node).flags & Node::kLost) != 0) return 0;
  if (const int err = PathFd(node, &fd)) return err;
  const std::string attribute(name);
  const int err = RemoveXattr({fd, nullptr}, attribute.c_str());
  if (err == ENODATA) return 0;
  if (err == 0) MarkDirty(node, kDirtyAttributes);
  return err;
}

}  // namespace twinfs::disk
