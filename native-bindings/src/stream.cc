// See stream.h.
#include "stream.h"

#include <algorithm>

#include "fuse_abi.h"

namespace twinfs {

void Stream::setState(StreamState next) {
  if (next == StreamState::on) epoch_++;
  state_.store(next, std::memory_order_relaxed);
}

bool Stream::bind(Node* node) {
  if (node->boundEpoch == epoch_ || node->id == abi::kRootId) return true;
  // Upwards to the first one that is bound, then down again: deep trees must not use up the stack.
  std::vector<Node*> chain;
  for (Node* at = node; at->id != abi::kRootId && at->boundEpoch != epoch_; at = at->alias.parent) {
    if (at->isNameless()) return false;
    chain.push_back(at);
  }
  while (!chain.empty()) {
    Node* at = chain.back();
    chain.pop_back();
    Record record;
    record.kind = kBind;
    record.ref = static_cast<double>(at->id);
    record.parent = static_cast<double>(at->alias.parent->id);
    emit(record, at->alias.name);
    at->boundEpoch = epoch_;
  }
  return true;
}

void Stream::emit(Record& record, std::string_view name, std::string_view name2,
                  std::string_view data) {
  if (handoff.append(record, name, name2, data)) wake_ = true;
  changes_.fetch_add(1, std::memory_order_relaxed);
}

void Stream::emitLarge(Record& record, const LargePayload& payload) {
  if (handoff.appendLarge(record, payload)) wake_ = true;
  changes_.fetch_add(1, std::memory_order_relaxed);
}

void Stream::mark(Node* node, uint8_t bits) {
  if (node->marks == 0) {
    node->refs.fetch_add(1, std::memory_order_relaxed);
    marked_.push_back(node);
  }
  node->marks |= bits;
}

void Stream::forget(const Node* node) {
  if (state() != StreamState::on || node->boundEpoch != epoch_) return;
  Record record;
  record.kind = kForget;
  record.ref = static_cast<double>(node->id);
  emit(record);
}

std::vector<std::pair<Node*, uint8_t>> Stream::takeMarks() {
  std::vector<std::pair<Node*, uint8_t>> taken;
  taken.reserve(marked_.size());
  for (Node* node : marked_) taken.emplace_back(node, std::exchange(node->marks, uint8_t{0}));
  marked_.clear();
  return taken;
}

bool Stream::pathOf(const Node* node, std::string* path) const {
  std::vector<const std::string*> names;
  for (const Node* at = node; at->id != abi::kRootId; at = at->alias.parent) {
    if (at->isNameless()) return false;
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
