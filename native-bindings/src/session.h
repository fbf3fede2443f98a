// The FUSE session: everything the workers share. A change goes gate → range lock → system call →
// stream → answer; everything else is answered by the worker at once. TypeScript drives it through
// session_binding.cc and never blocks here.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "buffer_pool.h"
#include "committer.h"
#include "gate.h"
#include "node_table.h"
#include "pending.h"
#include "range_lock.h"
#include "request.h"
#include "stream.h"
#include "times.h"

namespace twinfs {

struct SessionOptions {
  int sourceFd = -1;
  std::string mountpoint;
  std::string fsname;
  uint32_t workers = 8;
  uint64_t handoffBytesMax = 0;
  bool writebackCache = false;
  uint32_t timesDelayMs = 250;
};

// Answers come later than the change itself, by the class of the change (AnswerRule).
enum class Wait : uint8_t { nobody, data, name, sync };

// An inode a change concerns: it is bound before the change's record, or marked while a resync
// runs.
struct Touch {
  Node* node;
  uint8_t mark;
  bool times;
};

struct Change {
  Request& request;
  Wait wait;
  const void* reply;
  size_t replyBytes;
  RangeGuard* guard = nullptr;
  OpenFile* file = nullptr;  // what the local group commit makes durable, for data
};

struct Waiting {
  double token = 0;
  bool local = false;  // the local disk is waited for, too
};

struct Notice {
  enum class What : uint8_t { gate, syncFailed, ended } what;
  int errnum;
};

struct PeerSpace {
  uint64_t freeBytes;
  uint64_t availableBytes;
  uint64_t freeFiles;
};

class Session {
 public:
  using Signal = void (*)(void*);
  Session(SessionOptions options, Signal signal, void* signalArgument);
  ~Session();

  // Off the event loop. Errnos; *call says what failed.
  int Mount(const char** call);
  int Unmount(bool lazy);
  // After the end, on the event loop, where `complete` answers: nobody writes to them any more.
  void CloseDevices();

  void SetGate(bool open);
  // The role fence: changes that have not entered the gate yet are refused with EROFS.
  void SetReadOnly(bool on);
  bool IsReadOnly() const { return readOnly_.load(); }
  void SetStream(StreamState state);
  void SetAnswer(AnswerRule rule);
  void Credit(uint64_t bytes);
  void SetPeerSpace(const PeerSpace* space);
  std::vector<Notice> TakeNotices();
  std::vector<std::pair<Node*, uint8_t>> TakeMarks();
  void AddMark(uint64_t ref, uint8_t bits);
  bool PathOf(uint64_t ref, std::string* path);

  // For the workers.
  void Report(Notice::What what, int errnum);
  void Wake() { signal_(signalArgument_); }
  enum class Entry { entered, wait, refused };
  Entry EnterGate(bool parkedBefore);
  void LeaveGate();
  void Park(ParkedRequest parked);
  void Unref(Node* node, uint64_t count = 1);
  void CloseFile(OpenFile* file);
  bool GetPeerSpace(PeerSpace* space);
  // The kernel's cached attributes are not true any more, in a way it cannot know.
  void InvalidateAttributes(const Node* node);
  // fdatasync, or fsync, of an inode's content. Returns an errno.
  int SyncFile(Node* node, int fd, bool dataOnly);
  void WorkerEnded(int errnum);
  void SpawnIfNoneIdle();

  // Puts a change into the stream and answers or registers its caller. `apply(streaming, token)`
  // runs under the stream lock in every state: it updates names, and emits the record when
  // streaming.
  template <class Apply>
  void Publish(const Change& change, std::initializer_list<Touch> touches, Apply&& apply) {
    Waiting waiting = Submit(change, touches, apply);
    if (waiting.token == 0) {
      change.request.Reply(change.reply, change.replyBytes);
    } else if (waiting.local) {
      committer.Add(change.file, waiting.token);
    }
  }
  // The first half of it: the caller's answer is still to be given, at once when the token is 0.
  template <class Apply>
  Waiting Submit(const Change& change, std::initializer_list<Touch> touches, Apply&& apply);

  const SessionOptions options;
  NodeTable nodes;
  RangeLocks ranges;
  Gate gate;
  Stream stream;
  Pending pending;
  // Shared with the payloads JavaScript still holds.
  const std::shared_ptr<BufferPool> pool = std::make_shared<BufferPool>();
  BufferPool& buffers = *pool;
  Committer committer;
  Times times;
  int rootFd = -1;  // real descriptor of the source directory, opened before the mount
  uint64_t generation = 0;  // of node ids: a handle of an earlier session is stale
  bool writebackCache = false;
  bool directWrites = false;  // O_WRONLY files bypass the kernel's cache
  bool setxattrExtended = false;
  std::atomic<uint64_t> requests{0};
  std::atomic<int> idleWorkers{0};

 private:
  bool BeginChange(std::initializer_list<Touch> touches);
  Waiting BeginWaiting(const Change& change, bool streaming);
  int Handshake(int fd);
  void StartWorkers();
  void StartWorker();
  void RunRelief();
  void FinishSession();
  bool Admits() const {
    return readOnly_.load() || (gate.IsOpen() && !(stream.IsOn() && stream.handoff.Full()));
  }
  void WakeParked();
  void AnnounceWaiter();

  const Signal signal_;
  void* const signalArgument_;
  int fuseFd_ = -1;

  std::mutex threadsMutex_;
  std::vector<std::thread> workers_;
  std::vector<std::thread> relief_;
  std::vector<int> clones_;
  int running_ = 0;
  int endErrno_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<bool> readOnly_{false};

  std::mutex parkMutex_;
  std::condition_variable parkWake_;
  std::deque<ParkedRequest> parked_;
  std::atomic<size_t> parkedCount_{0};

  std::mutex noticeMutex_;
  std::vector<Notice> notices_;

  std::mutex marksMutex_;
  std::vector<Node*> marksHeld_;  // of the last takeMarks: their paths may still be asked for

  std::mutex spaceMutex_;
  bool hasPeerSpace_ = false;
  PeerSpace peerSpace_{};
};

// A node held for the length of a request.
class NodeHold {
 public:
  // `node` comes with a reference, or is null.
  NodeHold(Session& session, Node* node) : session_(session), node_(node) {}
  NodeHold(const NodeHold&) = delete;
  NodeHold& operator=(const NodeHold&) = delete;
  ~NodeHold() {
    if (node_ != nullptr) session_.Unref(node_);
  }
  Node* Get() const { return node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  Session& session_;
  Node* node_;
};

template <class Apply>
Waiting Session::Submit(const Change& change, std::initializer_list<Touch> touches, Apply&& apply) {
  Waiting waiting;
  bool wake;
  {
    std::lock_guard lock(stream.mutex);
    bool streaming = BeginChange(touches);
    waiting = BeginWaiting(change, streaming);
    apply(streaming, streaming && stream.rule.byStream ? waiting.token : 0);
    wake = stream.TakeWake();
  }
  if (change.guard != nullptr) change.guard->Release();
  if (wake) Wake();
  return waiting;
}

}  // namespace twinfs
