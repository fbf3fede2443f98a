// See pending.h.
#include "pending.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "fuse_messages.h"

namespace twinfs {

// A token is generation × 2^20 + index + 1: below 2^53, so JavaScript holds it exactly.
constexpr uint64_t kIndexBits = 20;
constexpr uint64_t kIndexMax = (1u << kIndexBits) - 2;
constexpr uint32_t kGenerationMax = UINT32_MAX;

double Pending::Add(int fd, uint64_t unique, const void* reply, size_t bytes, uint8_t wait) {
  std::lock_guard lock(mutex_);
  uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    if (slots_.size() > kIndexMax) __builtin_trap();  // the kernel cannot have so many in flight
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  Slot& slot = slots_[index];
  slot.wait = wait;
  slot.bytes = static_cast<uint16_t>(bytes);
  slot.fd = fd;
  slot.error = 0;
  slot.unique = unique;
  if (bytes > 0) std::memcpy(slot.reply, reply, bytes);
  count_.fetch_add(1, std::memory_order_relaxed);
  return static_cast<double>((static_cast<uint64_t>(slot.generation) << kIndexBits) + index + 1);
}

void Pending::Finish(double token, uint8_t wait, int errnum) {
  uint64_t value = static_cast<uint64_t>(token);
  uint64_t index = (value & ((1u << kIndexBits) - 1)) - 1;
  Slot done;
  {
    std::lock_guard lock(mutex_);
    if (index >= slots_.size()) return;
    Slot& slot = slots_[index];
    if (slot.generation != value >> kIndexBits || (slot.wait & wait) == 0) return;
    slot.wait &= static_cast<uint8_t>(~wait);
    if (errnum != 0 && slot.error == 0) slot.error = errnum;
    if (slot.wait != 0) return;
    done = slot;
    slot.generation = slot.generation == kGenerationMax ? 1 : slot.generation + 1;
    free_.push_back(static_cast<uint32_t>(index));
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  WriteReply(done.fd, done.unique, done.error, done.reply, done.bytes);
}

void Pending::Clear() {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < slots_.size(); i++) {
    Slot& slot = slots_[i];
    if (slot.wait == 0) continue;
    slot.wait = 0;
    slot.generation = slot.generation == kGenerationMax ? 1 : slot.generation + 1;
    free_.push_back(static_cast<uint32_t>(i));
  }
  count_.store(0);
}

void WriteReply(int fd, uint64_t unique, int error, const void* data, size_t bytes) {
  abi::OutHeader head;
  size_t payload = error == 0 ? bytes : 0;
  head.len = static_cast<uint32_t>(sizeof(head) + payload);
  head.error = -error;
  head.unique = unique;
  struct iovec parts[2] = {{&head, sizeof(head)}, {const_cast<void*>(data), payload}};
  ssize_t written = writev(fd, parts, payload > 0 ? 2 : 1);
  (void)written;
}

}  // namespace twinfs
