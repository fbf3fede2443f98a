// Hands over the times of changed inodes, coalesced: a change marks its inode here, and within the
// delay a thread reads the resulting mtime under the inode's whole-range lock and puts it into the
// stream.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "node.h"

namespace twinfs {

class Session;

class Times {
 public:
  Times(Session& session, uint32_t delayMs) : session_(session), delay_(delayMs) {}
  void Start();
  // Hands over what is pending, and ends.
  void Stop();
  // The inode's times changed. Takes a reference on the node.
  void Touch(Node* node);
  // Hands all over now; `flushed` tells when that is done.
  void Flush();
  bool Flushed();

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Node* node;
    Clock::time_point due;
  };
  void Run();
  void HandOver(Node* node);

  Session& session_;
  const std::chrono::milliseconds delay_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  size_t flushCount_ = 0;  // entries from the front that are handed over at once
  bool busy_ = false;          // an entry is being handed over
  bool busyFlushing_ = false;  // and a flush waits for it
  bool stopping_ = false;
};

}  // namespace twinfs
