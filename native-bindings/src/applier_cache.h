// The open descriptors of recently used nodes, least recently used ones closed first, and those
// that must be kept because nothing else leads to their inode any more (nameless, or a filesystem
// without file handles).
#pragma once
#include <stdint.h>

#include <unordered_map>
#include <vector>

#include "applier_refs.h"
#include "fd.h"

namespace twinfs::disk {

class DescriptorCache {
 public:
  // At most `capacity` (at least 2) cached descriptors, kept ones not counted.
  DescriptorCache(RefTable& refs, uint32_t capacity);

  // The cached descriptor of a node, now the most recently used, or null. `writable`: O_PATH ones
  // do not count.
  const SharedFd* Find(uint32_t node, bool writable);
  // Replaces what the node had.
  void Put(uint32_t node, SharedFd fd, bool writable);
  void Drop(uint32_t node);
  // Closes the `count` least recently used; false, closing none, unless more than that are open (an
  // op under way relies on the latest ones).
  bool Shrink(uint32_t count);

  const SharedFd* FindKept(uint32_t node) const;
  void Keep(uint32_t node, SharedFd fd);
  void DropKept(uint32_t node);
  uint32_t KeptCount() const { return static_cast<uint32_t>(kept_.size()); }
  uint32_t CachedCount() const { return count_; }

 private:
  struct Slot {
    SharedFd fd;
    uint32_t node = kNone;
    uint32_t newer = kNone;
    uint32_t older = kNone;
    bool writable = false;
  };

  void Unlink(uint32_t slot);
  void MakeNewest(uint32_t slot);
  void Release(uint32_t slot);

  RefTable& refs_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  uint32_t newest_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t free_ = kNone;  // chained through `older`
  std::vector<Slot> slots_;
  std::unordered_map<uint32_t, SharedFd> kept_;
};

}  // namespace twinfs::disk
