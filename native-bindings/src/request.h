// One request of the kernel, and the thread that serves it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <cstring>
#include <memory>

#include "fuse_messages.h"

namespace twinfs {

class Session;
class Worker;

// A change that found the gate closed or the hand-over full: its buffer, and the descriptor to
// answer on.
struct ParkedRequest {
  uint8_t* buffer;
  size_t bytes;
  int fd;
};

class Request {
 public:
  Request(Worker& worker, int fd, const uint8_t* buffer)
      : worker(worker), head(*reinterpret_cast<const abi::InHeader*>(buffer)), fd_(fd) {
    body_ = buffer + sizeof(abi::InHeader);
    bodyBytes_ = head.len - sizeof(abi::InHeader);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // The fixed argument at the start of the body.
  template <class T>
  const T& Arg() const {
    return *reinterpret_cast<const T*>(body_);
  }
  // What follows an argument of `skip` bytes: names, each ended by a NUL (the kernel checks
  // lengths).
  const char* Text(size_t skip) const { return reinterpret_cast<const char*>(body_ + skip); }
  const uint8_t* Bytes(size_t skip) const { return body_ + skip; }
  size_t BodyBytes() const { return bodyBytes_; }
  int Descriptor() const { return fd_; }

  void Reply(const void* data, size_t bytes);
  void Error(int errnum);
  void Ok() { Reply(nullptr, 0); }

  Worker& worker;
  const abi::InHeader head;  // a copy: the buffer may be given away before the answer

 private:
  const int fd_;
  const uint8_t* body_;
  size_t bodyBytes_;
};

// A thread that serves requests. Its file-system identity is switched for creations only.
class Worker {
 public:
  Worker(Session& session, int fd);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Reads and serves until the session ends; returns the errno that ended it.
  int Run();
  // Serves one request read earlier; takes its buffer.
  void Serve(const ParkedRequest& parked);
  // The request's buffer, given away with its payload.
  uint8_t* GiveBuffer();
  // A MiB for replies.
  uint8_t* Scratch();
  // Before the end of the request, when what remains (an fsync) changes nothing any more.
  void LeaveGate();
  // The umask of this thread alone (it shares no file-system context with the others).
  void UseUmask(mode_t mask);

  Session& session;

 private:
  void Dispatch(size_t bytes, int fd, bool parkedBefore);
  const int fd_;
  uint8_t* buffer_;
  std::unique_ptr<uint8_t[]> scratch_;
  mode_t umask_ = 0;
  bool inGate_ = false;
};

constexpr size_t kScratchBytes = 1024 * 1024;

// What every thread that may serve requests does first.
void PrepareWorkerThread();

// The calling thread acts with the caller's file-system uid, gid and the group the kernel sent
// along, so that the filesystem itself decides about owner, group and set-group-id as if the caller
// had called it.
class Credentials {
 public:
  explicit Credentials(const Request& request);
  // Loses CAP_FSETID only: for writes that must clear set-user-id.
  Credentials(uid_t uid, gid_t gid);
  ~Credentials();
  // Takes back the right to pass permission checks: the kernel made them already, for a caller that
  // has capabilities without being root.
  void Override();

 private:
  bool gidSet_ = false;
  bool uidSet_ = false;
  bool groupsSet_ = false;
};

}  // namespace twinfs
