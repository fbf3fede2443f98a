// Threads of the session: workers, the threads that serve parked requests, and the end of it all.
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>

namespace twinfs {

// While all workers are Busy (long fsyncs, say) more are started, up to this many times the
// configured number.
constexpr int kWorkerGrowth = 2;
constexpr int kReliefThreads = 4;

Session::Session(SessionOptions given, Signal signal, void* signalArgument)
    : options(std::move(given)),
      stream(options.handoffBytesMax),
      committer(*this),
      times(*this, options.timesDelayMs),
      signal_(signal),
      signalArgument_(signalArgument) {}

Session::~Session() {
  CloseDevices();
  if (rootFd >= 0) close(rootFd);
}

void Session::SetGate(bool open) {
  gate.Set(open);
  if (open) {
    WakeParked();
  } else if (parkedCount_.load() > 0) {
    AnnounceWaiter();  // it waited for room in the hand-over until now
  }
}

void Session::AnnounceWaiter() {
  if (gate.Announce()) Report(Notice::What::gate, 0);
}

void Session::SetReadOnly(bool on) {
  readOnly_.store(on);
  if (on) WakeParked();
}

Session::Entry Session::EnterGate(bool parkedBefore) {
  if (readOnly_.load()) return Entry::refused;
  // Whoever waits already comes first.
  if (!parkedBefore && parkedCount_.load() > 0) return Entry::wait;
  if (stream.IsOn() && stream.handoff.Full()) return Entry::wait;
  if (!gate.TryEnter()) return Entry::wait;
  // Again, inside: after `setReadOnly` and `quiesce` nothing more is applied.
  if (!readOnly_.load()) return Entry::entered;
  LeaveGate();
  return Entry::refused;
}

void Session::LeaveGate() {
  if (gate.Leave()) Wake();
}

void Session::Report(Notice::What what, int errnum) {
  // Signalled under the lock: whoever sees the notice knows that this thread is done with the
  // signal.
  std::lock_guard lock(noticeMutex_);
  notices_.push_back({what, errnum});
  Wake();
}

std::vector<Notice> Session::TakeNotices() {
  std::lock_guard lock(noticeMutex_);
  return std::exchange(notices_, {});
}

void Session::SetPeerSpace(const PeerSpace* space) {
  std::lock_guard lock(spaceMutex_);
  hasPeerSpace_ = space != nullptr;
  if (space != nullptr) peerSpace_ = *space;
}

bool Session::GetPeerSpace(PeerSpace* space) {
  std::lock_guard lock(spaceMutex_);
  *space = peerSpace_;
  return hasPeerSpace_;
}

void Session::InvalidateAttributes(const Node* node) {
  struct {
    abi::OutHeader head;
    abi::NotifyInvalInode body;
  } message = {{sizeof(message), abi::kNotifyInvalInode, 0}, {node->id, -1, 0}};
  ssize_t written = write(fuseFd_, &message, sizeof(message));
  (void)written;  // ENOENT: it has no such inode any more
}

void Session::Park(ParkedRequest parked) {
  {
    std::lock_guard lock(parkMutex_);
    parked_.push_back(parked);
    parkedCount_.store(parked_.size());
  }
  parkWake_.notify_one();
  if (!gate.IsOpen()) AnnounceWaiter();
}

void Session::WakeParked() {
  { std::lock_guard lock(parkMutex_); }
  parkWake_.notify_all();
}

void Session::RunRelief() {
  Worker worker(*this, -1);
  std::unique_lock lock(parkMutex_);
  for (;;) {
    parkWake_.wait(lock, [this] { return ending_.load() || (!parked_.empty() && Admits()); });
    if (ending_.load()) return;
    ParkedRequest parked = parked_.front();
    parked_.pop_front();
    parkedCount_.store(parked_.size());
    lock.unlock();
    worker.Serve(parked);
    lock.lock();
  }
}

// Called with threadsMutex_ held.
void Session::StartWorker() {
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
    PrepareWorkerThread();
    int ended;
    {
      Worker worker(*this, fd);
      ended = worker.Run();
    }
    WorkerEnded(ended);
  }).detach();
}

void Session::StartWorkers() {
  std::lock_guard lock(threadsMutex_);
  committer.Start();
  times.Start();
  for (int i = 0; i < kReliefThreads; i++) {
    relief_.emplace_back([this] {
      PrepareWorkerThread();
      RunRelief();
    });
  }
  for (uint32_t i = 0; i < std::max<uint32_t>(options.workers, 1); i++) StartWorker();
}

void Session::SpawnIfNoneIdle() {
  std::lock_guard lock(threadsMutex_);
  if (idleWorkers.load() > 0 || ending_.load()) return;
  if (running_ < static_cast<int>(options.workers) * kWorkerGrowth) StartWorker();
}

void Session::WorkerEnded(int errnum) {
  {
    std::lock_guard lock(threadsMutex_);
    if (errnum != ENODEV && endErrno_ == 0) endErrno_ = errnum;
    ending_.store(true);
    if (--running_ > 0) return;
  }
  FinishSession();
}

// In the last worker: nothing is served any more. The devices stay open,
// because `complete` may be writing an answer at this moment.
void Session::FinishSession() {
  WakeParked();
  for (std::thread& thread : relief_) thread.join();
  relief_.clear();
  committer.Stop();
  times.Stop();
  pending.Clear();
  {
    std::lock_guard lock(parkMutex_);
    for (const ParkedRequest& parked : parked_) buffers.Give(parked.buffer);
    parked_.clear();
  }
  nodes.CloseAll();
  close(std::exchange(rootFd, -1));
  Report(Notice::What::ended, endErrno_);
}

void Session::CloseDevices() {
  for (int fd : std::exchange(clones_, {})) close(fd);
  if (fuseFd_ >= 0) close(std::exchange(fuseFd_, -1));
}

}  // namespace twinfs
