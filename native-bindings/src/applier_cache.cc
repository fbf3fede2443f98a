// The open descriptors of recently used nodes.
#include "applier_cache.h"

#include <utility>

namespace twinfs::disk {

DescriptorCache::DescriptorCache(RefTable& refs, uint32_t capacity)
    : refs_(refs), capacity_(capacity) {
  slots_.reserve(capacity);
}

const SharedFd* DescriptorCache::Find(uint32_t node, bool writable) {
  const uint32_t slot = refs_.At(node).slot;
  if (slot == kNone) return nullptr;
  if (writable && !slots_[slot].writable) return nullptr;
  if (slot != newest_) {
    Unlink(slot);
    MakeNewest(slot);
  }
  return &slots_[slot].fd;
}

void DescriptorCache::Put(uint32_t node, SharedFd fd, bool writable) {
  Drop(node);
  if (count_ >= capacity_) Release(oldest_);
  uint32_t slot = free_;
  if (slot != kNone) {
    free_ = slots_[slot].older;
  } else {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  slots_[slot].fd = std::move(fd);
  slots_[slot].node = node;
  slots_[slot].writable = writable;
  MakeNewest(slot);
  refs_.At(node).slot = slot;
  count_++;
}

void DescriptorCache::Drop(uint32_t node) {
  const uint32_t slot = refs_.At(node).slot;
  if (slot != kNone) Release(slot);
}

bool DescriptorCache::Shrink(uint32_t count) {
  if (count_ <= count) return false;
  for (; count > 0; count--) Release(oldest_);
  return true;
}

const SharedFd* DescriptorCache::FindKept(uint32_t node) const {
  if (kept_.empty()) return nullptr;
  const auto found = kept_.find(node);
  return found == kept_.end() ? nullptr : &found->second;
}

void DescriptorCache::Keep(uint32_t node, SharedFd fd) { kept_[node] = std::move(fd); }

void DescriptorCache::DropKept(uint32_t node) { kept_.erase(node); }

void DescriptorCache::Unlink(uint32_t slot) {
  Slot& it = slots_[slot];
  (it.newer == kNone ? newest_ : slots_[it.newer].older) = it.older;
  (it.older == kNone ? oldest_ : slots_[it.older].newer) = it.newer;
}

void DescriptorCache::MakeNewest(uint32_t slot) {
  Slot& it = slots_[slot];
  it.newer = kNone;
  it.older = newest_;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = slot;
  newest_ = slot;
}

void DescriptorCache::Release(uint32_t slot) {
  Unlink(slot);
  Slot& it = slots_[slot];
  refs_.At(it.node).slot = kNone;
  it.fd.reset();
  it.node = kNone;
  it.older = std::exchange(free_, slot);
  count_--;
}

}  // namespace twinfs::disk
