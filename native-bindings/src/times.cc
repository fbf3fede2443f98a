// See times.h.
#include "times.h"

#include <sys/stat.h>

#include "handlers.h"

namespace twinfs {

void Times::Start() {
  thread_ = std::thread([this] {
    PrepareWorkerThread();
    Run();
  });
}

void Times::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Times::Touch(Node* node) {
  if (node->timesPending.exchange(true)) return;
  session_.nodes.Ref(node);
  bool wake;
  {
    std::lock_guard lock(mutex_);
    wake = queue_.empty();
    queue_.push_back({node, Clock::now() + delay_});
  }
  if (wake) wake_.notify_one();
}

void Times::Flush() {
  {
    std::lock_guard lock(mutex_);
    flushCount_ = queue_.size();
    busyFlushing_ = busy_;
  }
  wake_.notify_one();
}

bool Times::Flushed() {
  std::lock_guard lock(mutex_);
  return flushCount_ == 0 && !busyFlushing_;
}

void Times::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (queue_.empty()) {
      if (stopping_) return;
      wake_.wait(lock);
      continue;
    }
    if (flushCount_ == 0 && !stopping_ && Clock::now() < queue_.front().due) {
      wake_.wait_until(lock, queue_.front().due);
      continue;
    }
    Node* node = queue_.front().node;
    queue_.pop_front();
    busy_ = true;
    busyFlushing_ = flushCount_ > 0;
    if (flushCount_ > 0) flushCount_--;
    lock.unlock();
    HandOver(node);
    session_.Unref(node);
    lock.lock();
    bool told = busyFlushing_ && flushCount_ == 0;
    busy_ = busyFlushing_ = false;
    if (told) session_.Wake();
  }
}

void Times::HandOver(Node* node) {
  RangeGuard guard(session_.ranges, node, 0, kWholeFile);
  // From here on a change queues the node again.
  node->timesPending.store(false);
  struct stat st;
  {
    PathFd path = session_.nodes.OpenPath(node);
    if (!path.Ok() || fstat(path.Get(), &st) != 0) return;
    if (st.st_nlink == 0) return;  // nobody will ever see them
  }
  bool wake;
  {
    std::lock_guard lock(session_.stream.mutex);
    if (session_.stream.State() != StreamState::on || !session_.stream.Bind(node)) return;
    Record record;
    record.kind = kTimes;
    record.ref = Number(node->id);
    record.g = static_cast<int64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec;
    session_.stream.Emit(record);
    wake = session_.stream.TakeWake();
  }
  guard.Release();
  if (wake) session_.Wake();
}

}  // namespace twinfs
