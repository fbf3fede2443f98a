// What every change passes before it is applied. Closed, nothing changes locally; a change that
// finds it closed (or the hand-over full) is parked by its worker, which goes on serving readers.
#pragma once
#include <atomic>
#include <cstdint>

namespace twinfs {

class Gate {
 public:
  // Closed at first.
  void Set(bool open) {
    if (!open) announced_.store(false);
    open_.store(open);
  }
  bool IsOpen() const { return open_.load(); }
  bool TryEnter() {
    inside_.fetch_add(1);
    if (open_.load()) return true;
    Leave();
    return false;
  }
  // True: the last one left a closed gate.
  bool Leave() { return inside_.fetch_sub(1) == 1 && !open_.load(); }
  bool IsEmpty() const { return inside_.load() == 0; }
  // True once a closing, for whoever finds the first that waits.
  bool Announce() { return !announced_.exchange(true); }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> announced_{false};
  std::atomic<int64_t> inside_{0};
};

}  // namespace twinfs
