// The table of refs: what the applying side remembers of each inode the stream has named. About 90
// bytes a ref: nodes live in chunks and are found through two chained hash tables (by ref, by
// inode).
#pragma once
#include <stdint.h>

#include <memory>
#include <vector>

namespace twinfs::disk {

inline constexpr uint32_t kNone = UINT32_MAX;
// Longer handles (some network filesystems) are treated like none at all: a descriptor is kept.
inline constexpr uint8_t kHandleBytesMax = 36;

enum class NodeType : uint8_t { kFile, kDirectory, kSymlink, kSpecial };

struct Node {
  // May carry suid, sgid or file capabilities: to be looked at before a write that clears them.
  static constexpr uint8_t kMayHavePrivileges = 1;
  // Nameless and without descriptor (too many were pinned): data ops on it have no effect that
  // could be seen.
  static constexpr uint8_t kLost = 2;
  // Its last name is gone: what is unsynced of it need not become durable.
  static constexpr uint8_t kNameless = 4;

  uint64_t ref = 0;
  uint64_t inode = 0;  // InodeKey()
  uint32_t nextByRef = kNone;
  uint32_t nextByInode = kNone;
  uint32_t slot = kNone;  // in the descriptor cache
  uint32_t dirtyRound = 0;  // the commit round in which it was last changed
  uint8_t dirtyBits = 0;
  uint8_t dirtyPlace = 0;  // in the set of that round
  NodeType type = NodeType::kFile;
  uint8_t flags = 0;
  uint8_t handleBytes = 0;  // 0: a descriptor is kept instead
  int32_t handleType = 0;
  unsigned char handle[kHandleBytesMax] = {};
};

// One number for device and inode: exact within a device, and across the few devices that one mount
// can show (btrfs subvolumes) as good as exact, the multiplier moves them far apart.
inline uint64_t InodeKey(uint64_t device, uint64_t inode) {
  return inode ^ (device * 0x9e3779b97f4a7c15u);
}

class RefTable {
 public:
  RefTable();
  uint32_t Find(uint64_t ref) const;
  // The first node with this inode, and the one after it; kNone at the end.
  uint32_t FindInode(uint64_t inode) const;
  uint32_t NextOfInode(uint32_t index) const;
  // `ref` must not be in the table. The node is fresh but for ref and inode.
  uint32_t Add(uint64_t ref, uint64_t inode);
  void Remove(uint32_t index);
  Node& At(uint32_t index) { return chunks_[index / kChunkNodes][index % kChunkNodes]; }
  const Node& At(uint32_t index) const { return chunks_[index / kChunkNodes][index % kChunkNodes]; }
  uint32_t Size() const { return size_; }
  // Calls `visit(index)` for every node; the table must not change meanwhile.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const uint32_t head : byRef_) {
      for (uint32_t index = head; index != kNone; index = At(index).nextByRef) visit(index);
    }
  }

 private:
  static constexpr uint32_t kChunkNodes = 1024;

  uint32_t BucketOf(uint64_t key) const;
  void Grow();

  std::vector<std::unique_ptr<Node[]>> chunks_;
  std::vector<uint32_t> byRef_;
  std::vector<uint32_t> byInode_;
  uint32_t free_ = kNone;  // chained through nextByRef
  uint32_t used_ = 0;      // nodes ever taken from the chunks
  uint32_t size_ = 0;
};

}  // namespace twinfs::disk
