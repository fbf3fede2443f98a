// Threads of the session: workers, the threads that serve parked requests, and the end of it all.
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>

namespace twinfs {

// While all workers are busy (long fsyncs, say) more are started, up to this many times the configured number.
constexpr int kWorkerGrowth = 4;
constexpr int kReliefThreads = 2;

Session::Session(SessionOptions given, Signal signal, void* signalArgument)
    : options(std::move(given)),
      stream(options.handoffBytesMax),
      committer(*this),
      times(*this, options.timesDelayMs),
      signal_(signal),
      signalArgument_(signalArgument) {}

Session::~Session() {
  for (int fd : clones_) close(fd);
  if (fuseFd_ >= 0) close(fuseFd_);
  if (rootFd >= 0) close(rootFd);
}

void Session::setGate(bool open) {
  gate.set(open);
  if (open) wakeParked();
}

void Session::setReadOnly(bool on) {
  readOnly_.store(on);
  if (on) wakeParked();
}

Session::Entry Session::enterGate() {
  if (readOnly_.load()) return Entry::refused;
  if (stream.isOn() && stream.handoff.full()) return Entry::wait;
  if (!gate.tryEnter()) {
    if (gate.announce()) notice(Notice::What::gate, 0);
    return Entry::wait;
  }
  // Again, inside: after `setReadOnly` and `quiesce` nothing more is applied.
  if (!readOnly_.load()) return Entry::entered;
  leaveGate();
  return Entry::refused;
}

void Session::leaveGate() {
  if (gate.leave()) signal();
}

void Session::notice(Notice::What what, int errnum) {
  // Signalled under the lock: whoever sees the notice knows that this thread is done with the signal.
  std::lock_guard lock(noticeMutex_);
  notices_.push_back({what, errnum});
  signal();
}

std::vector<Notice> Session::takeNotices() {
  std::lock_guard lock(noticeMutex_);
  return std::exchange(notices_, {});
}

void Session::setPeerSpace(const PeerSpace* space) {
  std::lock_guard lock(spaceMutex_);
  hasPeerSpace_ = space != nullptr;
  if (space != nullptr) peerSpace_ = *space;
}

bool Session::peerSpace(PeerSpace* space) {
  std::lock_guard lock(spaceMutex_);
  *space = peerSpace_;
  return hasPeerSpace_;
}

void Session::invalidateAttributes(const Node* node) {
  struct {
    abi::OutHeader head;
    abi::NotifyInvalInode body;
  } message = {{sizeof(message), abi::kNotifyInvalInode, 0}, {node->id, -1, 0}};
  ssize_t written = write(fuseFd_, &message, sizeof(message));
  (void)written;  // ENOENT: it has no such inode any more
}

void Session::park(ParkedRequest parked) {
  {
    std::lock_guard lock(parkMutex_);
    parked_.push_back(parked);
  }
  parkWake_.notify_one();
}

void Session::wakeParked() {
  { std::lock_guard lock(parkMutex_); }
  parkWake_.notify_all();
}

void Session::runRelief() {
  Worker worker(*this, -1);
  std::unique_lock lock(parkMutex_);
  for (;;) {
    parkWake_.wait(lock, [this] { return ending_.load() || (!parked_.empty() && admits()); });
    if (ending_.load()) return;
    ParkedRequest parked = parked_.front();
    parked_.pop_front();
    lock.unlock();
    worker.serve(parked);
    lock.lock();
  }
}

// Called with threadsMutex_ held.
void Session::startWorker() {
  int clone = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  uint32_t connection = static_cast<uint32_t>(fuseFd_);
  int fd = clone;
  if (clone >= 0 && ioctl(clone, abi::kIoctlClone, &connection) != 0) {
    close(clone);
    clone = fd = -1;
  }
  // Without a clone of its own a worker shares the first descriptor: slower, still right.
  if (fd < 0) fd = fuseFd_;
  if (clone >= 0) clones_.push_back(clone);
  running_++;
  std::thread([this, fd] {
    prepareWorkerThread();
    int ended;
    {
      Worker worker(*this, fd);
      ended = worker.run();
    }
    workerEnded(ended);
  }).detach();
}

void Session::startWorkers() {
  std::lock_guard lock(threadsMutex_);
  committer.start();
  times.start();
  for (int i = 0; i < kReliefThreads; i++) {
    relief_.emplace_back([this] {
      prepareWorkerThread();
      runRelief();
    });
  }
  for (uint32_t i = 0; i < std::max<uint32_t>(options.workers, 1); i++) startWorker();
}

void Session::spawnIfNoneIdle() {
  std::lock_guard lock(threadsMutex_);
  if (idleWorkers.load() > 0 || ending_.load()) return;
  if (running_ < static_cast<int>(options.workers) * kWorkerGrowth) startWorker();
}

void Session::workerEnded(int errnum) {
  {
    std::lock_guard lock(threadsMutex_);
    if (errnum != ENODEV && endErrno_ == 0) endErrno_ = errnum;
    ending_.store(true);
    if (--running_ > 0) return;
  }
  finishSession();
}

// In the last worker: nothing is served any more. Descriptors stay open until the Session goes, because
// `complete` may be writing an answer at this moment.
void Session::finishSession() {
  wakeParked();
  for (std::thread& thread : relief_) thread.join();
  relief_.clear();
  committer.stop();
  times.stop();
  pending.clear();
  {
    std::lock_guard lock(parkMutex_);
    for (const ParkedRequest& parked : parked_) buffers.give(parked.buffer);
    parked_.clear();
  }
  notice(Notice::What::ended, endErrno_);
}

}  // namespace twinfs
