// Records on their way to TypeScript. Everything here but `credit` and the budget is called under
// the stream lock, which makes the order of records the order of the stream.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "buffer_pool.h"
#include "records.h"

namespace twinfs {

// A payload too large to be copied into the record buffer: a worker's request buffer, or memory of
// its own.
struct LargePayload {
  const uint8_t* data = nullptr;
  size_t bytes = 0;
  uint8_t* pooled = nullptr;  // goes back to the pool when JavaScript is done with it
  uint8_t* owned = nullptr;   // else freed with delete[]
};

struct HandoffBatch {
  std::vector<uint8_t> records;
  std::vector<LargePayload> large;
};

class Handoff {
 public:
  explicit Handoff(uint64_t bytesMax) : bytesMax_(bytesMax) {}

  // Appends a record; sizes of the record are filled in here. True: the queue was empty, wake
  // JavaScript.
  bool Append(Record& record, std::string_view name, std::string_view name2, std::string_view data);
  bool AppendLarge(Record& record, const LargePayload& payload);
  // Everything pending, or false. `spare` is the storage of an earlier batch, to be used again.
  bool Take(HandoffBatch& batch);

  // Bytes handed over or pending and not given back.
  uint64_t Bytes() const { return bytes_.load(std::memory_order_relaxed); }
  bool Full() const { return Bytes() >= bytesMax_; }
  // True: there was no room before and there is now.
  bool Credit(uint64_t bytes);

 private:
  bool Write(Record& record, std::string_view name, std::string_view name2, std::string_view data,
             uint64_t beside);
  std::vector<uint8_t> records_;
  std::vector<LargePayload> large_;
  std::atomic<uint64_t> bytes_{0};
  const uint64_t bytesMax_;
};

}  // namespace twinfs
