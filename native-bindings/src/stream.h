// The place where changes get their order. Under one short lock: the names of inodes are updated,
// inodes are bound for the secondary before their first use, records are appended, or (while a
// resync runs) marks are set. So the alias table always equals the secondary's namespace at that
// place of the stream.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handoff.h"
#include "node.h"

namespace twinfs {

enum class StreamState : uint8_t { off = 0, track = 1, on = 2 };

struct AnswerRule {
  bool byStream = false;  // `complete` answers, else the engine at once
  bool syncData = false;  // data changes also wait for the local group commit
};

class Stream {
 public:
  explicit Stream(uint64_t handoffBytesMax) : handoff(handoffBytesMax) {}

  std::mutex mutex;
  Handoff handoff;

  // All below: `mutex` is held.
  StreamState State() const { return state_.load(std::memory_order_relaxed); }
  AnswerRule rule;
  void SetState(StreamState next);
  // Makes the secondary know the node; false for one without a name that it does not know yet.
  bool Bind(Node* node);
  // The node is known to the secondary from its own record on (create).
  void Born(Node* node) { node->boundEpoch = epoch_; }
  void Emit(Record& record, std::string_view name = {}, std::string_view name2 = {},
            std::string_view data = {});
  void EmitLarge(Record& record, const LargePayload& payload);
  void Mark(Node* node, uint8_t bits);
  // The node leaves the table: its ref is released in the stream.
  void Forget(const Node* node);
  bool TakeWake() { return std::exchange(wake_, false); }
  // Marked nodes and their bits; each carries a reference, now the caller's.
  std::vector<std::pair<Node*, uint8_t>> TakeMarks();
  // False: no name leads to it.
  bool PathOf(const Node* node, std::string* path) const;

  uint64_t Changes() const { return changes_.load(std::memory_order_relaxed); }
  // Without the lock.
  bool IsOn() const { return state_.load(std::memory_order_relaxed) == StreamState::on; }

 private:
  std::atomic<StreamState> state_{StreamState::off};
  uint32_t epoch_ = 1;
  bool wake_ = false;
  std::vector<Node*> marked_;
  std::atomic<uint64_t> changes_{0};
};

}  // namespace twinfs
