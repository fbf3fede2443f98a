// See range_lock.h. A scan of a short vector is cheaper than any tree: it holds one entry per busy
// thread.
#include "range_lock.h"

#include "check.h"

namespace twinfs {

bool RangeLocks::Busy(const Shard& shard, const Node* node, uint64_t start, uint64_t end) {
  for (const Held& held : shard.held) {
    if (held.node == node && held.start < end && start < held.end) return true;
  }
  return false;
}

void RangeLocks::Lock(const Node* node, uint64_t start, uint64_t end) {
  Shard& at = ShardOf(node);
  std::unique_lock lock(at.mutex);
  while (Busy(at, node, start, end)) {
    at.waiting++;
    at.freed.wait(lock);
    at.waiting--;
  }
  at.held.push_back({node, start, end});
}

void RangeLocks::Unlock(const Node* node, uint64_t start, uint64_t end) {
  Shard& at = ShardOf(node);
  bool wake;
  {
    std::lock_guard lock(at.mutex);
    size_t i = 0;
    while (i < at.held.size() && (at.held[i].node != node || at.held[i].start != start ||
                                  at.held[i].end != end)) {
      i++;
    }
    Check(i < at.held.size(), "an unlocked range was locked");
    at.held[i] = at.held.back();
    at.held.pop_back();
    wake = at.waiting > 0;
  }
  if (wake) at.freed.notify_all();
}

}  // namespace twinfs
