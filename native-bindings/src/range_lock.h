// Locks on byte ranges of inodes. A change holds its range from its system call until its record is
// in the stream, so that overlapping changes have one order in both copies while others run side by
// side. At most one range a thread is held, so a few small vectors are enough for all inodes.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace twinfs {

struct Node;
constexpr uint64_t kWholeFile = UINT64_MAX;

class RangeLocks {
 public:
  // [start, end)
  void Lock(const Node* node, uint64_t start, uint64_t end);
  void Unlock(const Node* node, uint64_t start, uint64_t end);

 private:
  struct Held {
    const Node* node;
    uint64_t start;
    uint64_t end;
  };
  struct Shard {
    std::mutex mutex;
    std::condition_variable freed;
    std::vector<Held> held;
    size_t waiting = 0;
  };
  static constexpr size_t kShards = 32;
  Shard& ShardOf(const Node* node) {
    return shards_[(reinterpret_cast<uintptr_t>(node) * 0x9e3779b97f4a7c15ull) >> 59];
  }
  static bool Busy(const Shard& shard, const Node* node, uint64_t start, uint64_t end);
  Shard shards_[kShards];
};

// Holds up to two ranges (copy_file_range); `release` may come before the end of the scope.
class RangeGuard {
 public:
  explicit RangeGuard(RangeLocks& locks) : locks_(locks) {}
  RangeGuard(RangeLocks& locks, Node* node, uint64_t start, uint64_t end) : locks_(locks) {
    Take(node, start, end);
  }
  RangeGuard(const RangeGuard&) = delete;
  RangeGuard& operator=(const RangeGuard&) = delete;
  ~RangeGuard() { Release(); }
  // Two nodes are taken in the order of their addresses by every caller.
  void Take(const Node* node, uint64_t start, uint64_t end) {
    locks_.Lock(node, start, end);
    ranges_[count_++] = {node, start, end};
  }
  void Release() {
    while (count_ > 0) {
      const Range& range = ranges_[--count_];
      locks_.Unlock(range.node, range.start, range.end);
    }
  }

 private:
  struct Range {
    const Node* node;
    uint64_t start;
    uint64_t end;
  };
  RangeLocks& locks_;
  Range ranges_[2] = {};
  int count_ = 0;
};

}  // namespace twinfs
