// See stream.h.
#include "stream.h"

#include <algorithm>

#include "fuse_abi.h"

namespace twinfs {

void Stream::SetState(StreamState next) {
  if (next == StreamState::on) epoch_++;
  state_.store(next, std::memory_order_relaxed);
}

bool Stream::Bind(Node* node) {
  if (node->boundEpoch == epoch_ || node->id == abi::kRootId) return true;
  // Upwards to the first one that is bound, then down again: deep trees must not use up the stack.
  std::vector<Node*> chain;
  for (Node* at = node; at->id != abi::kRootId && at->boundEpoch != epoch_; at = at->alias.parent) {
    if (at->IsNameless()) return false;
    chain.push_back(at);
  }
  while (!chain.empty()) {
    Node* at = chain.back();
    chain.pop_back();
    Record record;
    record.kind = kBind;
    record.ref = static_cast<double>(at->id);
    record.parent = static_cast<double>(at->alias.parent->id);
    Emit(record, at->alias.name);
    at->boundEpoch = epoch_;
  }
  return true;
}

void Stream::Emit(Record& record, std::string_view name, std::string_view name2,
                  std::string_view data) {
  if (handoff.Append(record, name, name2, data)) wake_ = true;
  changes_.fetch_add(1, std::memory_order_relaxed);
}

void Stream::EmitLarge(Record& record, const LargePayload& payload) {
  if (handoff.AppendLarge(record, payload)) wake_ = true;
  changes_.fetch_add(1, std::memory_order_relaxed);
}

void Stream::Mark(Node* node, uint8_t bits) {
  if (node->marks == 0) {
    node->refs.fetch_add(1, std::memory_order_relaxed);
    marked_.push_back(node);
  }
  node->marks |= bits;
}

void Stream::Forget(const Node* node) {
  if (State() != StreamState::on || node->boundEpoch != epoch_) return;
  Record record;
  record.kind = kForget;
  record.ref = static_cast<double>(node->id);
  Emit(record);
}

std::vector<std::pair<Node*, uint8_t>> Stream::TakeMarks() {
  std::vector<std::pair<Node*, uint8_t>> taken;
  taken.reserve(marked_.size());
  for (Node* node : marked_) taken.emplace_back(node, std::exchange(node->marks, uint8_t{0}));
  marked_.clear();
  return taken;
}

bool Stream::PathOf(const Node* node, std::string* path) const {
  std::vector<const std::string*> names;
  for (const Node* at = node; at->id != abi::kRootId; at = at->alias.parent) {
    if (at->IsNameless()) return false;
    names.push_back(&at->alias.name);
  }
  path->clear();
  for (size_t i = names.size(); i-- > 0;) {
    path->append(*names[i]);
    if (i > 0) path->push_back('/');
  }
  return true;
}

}  // namespace twinfs
