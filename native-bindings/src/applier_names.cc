// Ops that change names. A victim that loses its last name while the stream may still use it is
// opened before.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "applier_core.h"
#include "beneath.h"
#include "file_meta.h"

namespace twinfs::disk {
namespace {

constexpr mode_t kPermissionBits = 0777;
// renameat2(2): both names stay, so there is no victim.
constexpr unsigned kRenameExchange = 2;

}  // namespace

int ApplierCore::Create(const CreateArgs& args) {
  if (args.ref == kRootRef) return EINVAL;
  EntryName name;
  if (const int err = name.Set(args.name)) return err;
  uint32_t directory;
  int directoryFd;
  if (const int err = DirectoryFd(args.parent, &directory, &directoryFd)) return err;
  SharedFd fd;
  bool writable = false;
  int err = MakeEntry(directoryFd, name.Get(), args, &fd, &writable);
  if (err != 0) return err;
  MarkDirty(directory, kDirtyNames);
  bool changed;
  struct stat st;
  err = SetOwnerAndMode(fd->Get(), S_ISLNK(args.mode), args.mode, args.uid, args.gid, &changed);
  if (err == 0 && fstat(fd->Get(), &st) != 0) err = errno;
  uint32_t node;
  if (err == 0) err = Register(args.ref, fd, writable, st, &node);
  if (err != 0) {
    // The copy stays what it was before the op.
    unlinkat(directoryFd, name.Get(), S_ISDIR(args.mode) ? AT_REMOVEDIR : 0);
    return err;
  }
  const bool privileged = (args.mode & (S_ISUID | S_ISGID)) != 0;
  if (!privileged) refs_.At(node).flags &= ~Node::kMayHavePrivileges;
  if (S_ISREG(args.mode) || S_ISDIR(args.mode)) MarkDirty(node, kDirtyAttributes);
  return 0;
}

// Made with the permission bits of the result, so that an inherited ACL comes out as the primary's
// did; suid and sgid only come once the owner is right.
int ApplierCore::MakeEntry(int directoryFd, const char* name, const CreateArgs& args,
                           SharedFd* out, bool* writable) {
  const mode_t permissions = args.mode & kPermissionBits;
  int made = 0;
  switch (args.mode & S_IFMT) {
    case S_IFREG: {
      constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
      int fd = openat(directoryFd, name, kFlags, permissions);
      while (fd < 0 && (errno == EMFILE || errno == ENFILE) && cache_.Shrink(64)) {
        fd = openat(directoryFd, name, kFlags, permissions);
      }
      if (fd < 0) return errno;
      *out = Share(fd);
      *writable = true;
      return 0;
    }
    case S_IFDIR:
      made = mkdirat(directoryFd, name, permissions);
      break;
    case S_IFLNK:
      made = symlinkat(std::string(args.target).c_str(), directoryFd, name);
      break;
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
      made = mknodat(directoryFd, name, (args.mode & S_IFMT) | permissions, args.rdev);
      break;
    default:
      return EINVAL;
  }
  return made != 0 ? errno : OpenEntry(directoryFd, name, out);
}

int ApplierCore::Link(uint64_t ref, uint64_t parent, std::string_view name) {
  EntryName entry;
  if (const int err = entry.Set(name)) return err;
  uint32_t node;
  if (const int err = FindNode(ref, &node)) return err;
  if ((refs_.At(node).flags & Node::kLost) != 0) return ESTALE;
  uint32_t directory;
  int directoryFd;
  int fd;
  if (const int err = DirectoryFd(parent, &directory, &directoryFd)) return err;
  if (const int err = PathFd(node, &fd)) return err;
  if (linkat(fd, "", directoryFd, entry.Get(), AT_EMPTY_PATH) != 0) return errno;
  MarkDirty(directory, kDirtyNames);
  return 0;
}

int ApplierCore::LookAtVictim(int directoryFd, const char* name, Victim* out) {
  struct stat st;
  if (fstatat(directoryFd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) return 0;
  out->isLastName = true;
  out->inode = InodeKey(st.st_dev, st.st_ino);
  const uint32_t node = refs_.FindInode(out->inode);
  if (node == kNone) return 0;
  out->isBound = true;
  if (cache_.KeptCount() >= pinsMax_ && hasHandles_) return 0;
  // A descriptor that data was written through is the better one to keep; O_PATH ones can be opened
  // again.
  const SharedFd* open = cache_.Find(node, false);
  if (open == nullptr) open = cache_.FindKept(node);
  if (open != nullptr) {
    out->fd = *open;
    return 0;
  }
  return OpenEntry(directoryFd, name, &out->fd);
}

void ApplierCore::PinVictim(const Victim& victim) {
  if (!victim.isLastName) return;
  if (!victim.isBound) DropUnsynced(victim.inode);
  for (uint32_t node = refs_.FindInode(victim.inode); node != kNone;
       node = refs_.NextOfInode(node)) {
    refs_.At(node).flags |= Node::kNameless;
    if (victim.fd != nullptr) {
      cache_.Keep(node, victim.fd);
    } else if (cache_.FindKept(node) == nullptr) {
      cache_.Drop(node);
      DropUnsynced(victim.inode);
      refs_.At(node).flags |= Node::kLost;
    }
  }
}

int ApplierCore::Unlink(uint64_t parent, std::string_view name, bool directory) {
  EntryName entry;
  if (const int err = entry.Set(name)) return err;
  uint32_t node;
  int directoryFd;
  if (const int err = DirectoryFd(parent, &node, &directoryFd)) return err;
  Victim victim;
  if (const int err = LookAtVictim(directoryFd, entry.Get(), &victim)) return err;
  if (unlinkat(directoryFd, entry.Get(), directory ? AT_REMOVEDIR : 0) != 0) return errno;
  PinVictim(victim);
  MarkDirty(node, kDirtyNames);
  return 0;
}

int ApplierCore::Rename(uint64_t parent, std::string_view name, uint64_t newParent,
                        std::string_view newName, unsigned flags) {
  EntryName from;
  EntryName to;
  if (const int err = from.Set(name)) return err;
  if (const int err = to.Set(newName)) return err;
  uint32_t fromNode;
  uint32_t toNode;
  int fromFd;
  int toFd;
  if (const int err = DirectoryFd(parent, &fromNode, &fromFd)) return err;
  if (const int err = DirectoryFd(newParent, &toNode, &toFd)) return err;
  Victim victim;
  if ((flags & kRenameExchange) == 0) {
    const int err = LookAtVictim(toFd, to.Get(), &victim);
    if (err != 0 && err != ENOENT) return err;
  }
  if (renameat2(fromFd, from.Get(), toFd, to.Get(), flags) != 0) return errno;
  PinVictim(victim);
  MarkDirty(fromNode, kDirtyNames);
  MarkDirty(toNode, kDirtyNames);
  return 0;
}

}  // namespace twinfs::disk
