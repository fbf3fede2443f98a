// What has to be made durable, gathered on the event loop and synced on a pool thread, which shares
// nothing with the event loop but descriptors.
#pragma once
#include <stdint.h>

#include <vector>

#include "applier_refs.h"
#include "fd.h"

namespace twinfs::disk {

inline constexpr uint8_t kDirtyData = 1;
inline constexpr uint8_t kDirtyAttributes = 2;
inline constexpr uint8_t kDirtyNames = 4;

struct Unsynced {
  // Opened before the change and open until it is synced: closing it can swallow an error. Null
  // when the inode has gone meanwhile.
  SharedFd fd;
  uint64_t inode = 0;  // InodeKey()
  NodeType type = NodeType::kFile;
  uint8_t bits = 0;
};

struct CommitSet {
  std::vector<Unsynced> nodes;
  // Too many nodes, or one that cannot be synced alone: the whole filesystem, through `root`. It
  // reports every write-back error since `root` was opened, so no other descriptor is needed.
  bool whole = false;
  SharedFd root;

  bool IsEmpty() const { return nodes.empty() && !whole; }
};

// Starts write-back of all, then waits for each. Any thread; 0 or the first errno.
int SyncSet(const CommitSet& set);

// fsync(2), or fdatasync(2) when `bits` is kDirtyData alone, through a descriptor that may be
// O_PATH.
int SyncNode(const Unsynced& node);

}  // namespace twinfs::disk
