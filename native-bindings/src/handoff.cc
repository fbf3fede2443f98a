// See handoff.h; also the pool of request buffers.
#include "handoff.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "check.h"

namespace twinfs {

BufferPool::~BufferPool() {
  for (uint8_t* buffer : spare_) std::free(buffer);
}

uint8_t* BufferPool::Take() {
  {
    std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      uint8_t* buffer = spare_.back();
      spare_.pop_back();
      return buffer;
    }
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, 4096, kRequestBytes) != 0) std::abort();
  return static_cast<uint8_t*>(memory);
}

void BufferPool::Give(uint8_t* buffer) {
  {
    std::lock_guard lock(mutex_);
    Check(std::find(spare_.begin(), spare_.end(), buffer) == spare_.end(),
          "a buffer is given back once");
    if (spare_.size() < kSpareMax) {
      spare_.push_back(buffer);
      return;
    }
  }
  std::free(buffer);
}

bool Handoff::Write(Record& record, std::string_view name, std::string_view name2,
                    std::string_view data, uint64_t beside) {
  size_t content = sizeof(Record) + name.size() + name2.size() + data.size();
  size_t size = (content + 7) & ~size_t{7};
  record.size = static_cast<uint32_t>(size);
  record.nameBytes = static_cast<uint16_t>(name.size());
  record.name2Bytes = static_cast<uint32_t>(name2.size());
  size_t at = records_.size();
  records_.resize(at + size);
  uint8_t* to = records_.data() + at;
  std::memcpy(to, &record, sizeof(Record));
  to += sizeof(Record);
  for (std::string_view part : {name, name2, data}) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  bytes_.fetch_add(size + beside, std::memory_order_relaxed);
  return at == 0;
}

bool Handoff::Append(Record& record, std::string_view name, std::string_view name2,
                     std::string_view data) {
  record.dataBytes = static_cast<uint32_t>(data.size());
  return Write(record, name, name2, data, 0);
}

bool Handoff::AppendLarge(Record& record, const LargePayload& payload) {
  record.flags |= kFlagLarge;
  record.dataBytes = static_cast<uint32_t>(payload.bytes);
  large_.push_back(payload);
  return Write(record, {}, {}, {}, payload.bytes);
}

bool Handoff::Take(HandoffBatch& batch) {
  if (records_.empty()) return false;
  batch.records.clear();
  batch.large.clear();
  batch.records.swap(records_);
  batch.large.swap(large_);
  return true;
}

bool Handoff::Credit(uint64_t bytes) {
  uint64_t before = bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return before >= bytesMax_ && before - bytes < bytesMax_;
}

}  // namespace twinfs
