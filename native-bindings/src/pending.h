// Requests that are applied and whose answer waits: for the stream (`complete`), for the local
// group commit, or for both. A token names a slot and its generation, so that a stale one is
// harmless.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace twinfs {

constexpr uint8_t kWaitStream = 1;
constexpr uint8_t kWaitLocal = 2;

class Pending {
 public:
  static constexpr size_t kReplyBytesMax = 144;  // entry_out + open_out

  // Never 0. `reply` is what the caller gets if all goes well.
  double Add(int fd, uint64_t unique, const void* reply, size_t bytes, uint8_t wait);
  // One thing the answer waited for has come, with an errno or 0. The last one answers.
  void Finish(double token, uint8_t wait, int errnum);
  // Forgets all of them: the session is over.
  void Clear();
  size_t Count() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    uint32_t generation = 1;
    uint8_t wait = 0;  // 0: free
    uint16_t bytes = 0;
    int fd = -1;
    int error = 0;
    uint64_t unique = 0;
    uint8_t reply[kReplyBytesMax];
  };
  std::mutex mutex_;
  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
  std::atomic<size_t> count_{0};
};

// Writes one reply to the kernel. A caller that was interrupted away (ENOENT) or a session that
// ended is nobody's error.
void WriteReply(int fd, uint64_t unique, int error, const void* data, size_t bytes);

}  // namespace twinfs
