// The applying side of the stream, without JavaScript: refs to inodes, each op done exactly as the
// primary's result was. Everything here runs on the event loop's thread; workers get a CommitSet
// and share only descriptors.
//
// Ops return 0 or a positive errno; ESTALE for a ref that is not bound. No op leaves the tree below
// the root, whatever symlinks it holds: names are single components, opened with RESOLVE_BENEATH
// and never followed.
#pragma once
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include <memory>
#include <string_view>

#include "applier_cache.h"
#include "applier_refs.h"
#include "applier_sync.h"
#include "fd.h"

namespace twinfs::disk {

struct CreateArgs {
  uint64_t ref;
  uint64_t parent;
  std::string_view name;
  mode_t mode;
  uid_t uid;
  gid_t gid;
  dev_t rdev;
  std::string_view target;
};

// One path component with its NUL.
class EntryName {
 public:
  // EINVAL or ENAMETOOLONG for what is not a single name.
  int Set(std::string_view name);
  const char* Get() const { return text_; }

 private:
  char text_[NAME_MAX + 1];
};

class ApplierCore {
 public:
  static constexpr uint64_t kRootRef = 1;

  // `rootFd` (O_PATH will do) stays the caller's.
  static int Open(int rootFd, std::unique_ptr<ApplierCore>* out);

  // Forgets every ref but the root; what is unsynced stays so.
  void Reset();
  // A ref that is bound already is bound anew.
  int Bind(uint64_t ref, uint64_t parent, std::string_view name);
  // Unknown refs and the root are nothing to forget: 0.
  int Forget(uint64_t ref);

  int Create(const CreateArgs& args);
  int Link(uint64_t ref, uint64_t parent, std::string_view name);
  int Unlink(uint64_t parent, std::string_view name, bool directory);
  int Rename(uint64_t parent, std::string_view name, uint64_t newParent, std::string_view newName,
             unsigned flags);

  int Write(uint64_t ref, int64_t offset, std::string_view data, bool killPriv);
  int Truncate(uint64_t ref, int64_t size, bool killPriv);
  int Fallocate(uint64_t ref, int mode, int64_t offset, int64_t length);
  int CopyRangeTo(uint64_t from, int64_t fromOffset, uint64_t ref, int64_t offset, int64_t length);

  int SetAttr(uint64_t ref, mode_t mode, uid_t uid, gid_t gid);
  int Times(uint64_t ref, int64_t mtimeNs, bool hasAtime, int64_t atimeNs);
  int SetXattrOf(uint64_t ref, std::string_view name, std::string_view value, int flags);
  int RemoveXattrOf(uint64_t ref, std::string_view name);

  // Everything changed since the last call; what changes from here on is in the next set.
  CommitSet TakeUnsynced();
  // What fsync of one node means; `out->nodes` is empty when there is nothing to do.
  int SyncTarget(uint64_t ref, bool dataOnly, CommitSet* out);

  uint32_t RefCount() const { return refs_.Size(); }
  uint32_t DescriptorCount() const { return cache_.CachedCount() + cache_.KeptCount(); }
  uint32_t UnsyncedCount() const { return unsyncedCount_; }

 private:
  ApplierCore(SharedFd root, uint32_t descriptorsMax);

  int BindRoot();
  int FindNode(uint64_t ref, uint32_t* node) const;
  // A descriptor of the node, O_PATH or better; valid until the second-next lookup.
  int PathFd(uint32_t node, int* fd);
  int DirectoryFd(uint64_t ref, uint32_t* node, int* fd);
  // O_RDWR; EINVAL for what is not a regular file. `*fd` is -1 for a lost node.
  int FileFd(uint64_t ref, uint32_t* node, int* fd);
  int OpenNode(uint32_t node, int flags, SharedFd* out);
  int OpenEntry(int directoryFd, const char* name, SharedFd* out);
  // Makes `ref` stand for the inode of `fd`.
  int Register(uint64_t ref, const SharedFd& fd, bool writable, const struct stat& st,
               uint32_t* node);
  bool TakeHandle(int fd, Node* node) const;
  void Remove(uint32_t node);
  void MarkDirty(uint32_t node, uint8_t bits);
  // The inode is gone: its descriptor would only keep its space from being freed.
  void DropUnsynced(uint64_t inode);

  // The inode behind a name that an op is about to remove.
  struct Victim {
    bool isLastName = false;
    uint64_t inode = 0;
    bool isBound = false;
    SharedFd fd;
  };
  int LookAtVictim(int directoryFd, const char* name, Victim* out);
  void PinVictim(const Victim& victim);

  int MakeEntry(int directoryFd, const char* name, const CreateArgs& args, SharedFd* out,
                bool* writable);
  int ClearPrivileges(uint32_t node, int fd);
  void MayHavePrivileges(uint32_t node);

  SharedFd root_;
  bool hasHandles_ = false;
  uint32_t pinsMax_;
  RefTable refs_;
  DescriptorCache cache_;

  uint32_t round_ = 1;  // of commits; a node's dirtyRound equal to it: already gathered
  uint32_t unsyncedCount_ = 0;
  CommitSet unsynced_;
};

}  // namespace twinfs::disk
