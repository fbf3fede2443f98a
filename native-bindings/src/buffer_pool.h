// Request buffers of the workers. One is given away with a large payload or a parked request; the
// worker then takes another from here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace twinfs {

constexpr size_t kMaxWriteBytes = 1024 * 1024;
// Room for a request's headers before the payload; the kernel refuses smaller read buffers.
constexpr size_t kRequestBytes = kMaxWriteBytes + 4096;

class BufferPool {
 public:
  static constexpr size_t kSpareMax = 16;
  ~BufferPool();
  uint8_t* Take();
  void Give(uint8_t* buffer);

 private:
  std::mutex mutex_;
  std::vector<uint8_t*> spare_;
};

}  // namespace twinfs
