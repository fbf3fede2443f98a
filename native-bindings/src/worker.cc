// A worker thread: reads requests from its own clone of /dev/fuse and serves them.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers.h"
#include "session.h"

namespace twinfs {

Worker::Worker(Session& session, int fd)
    : session(session), fd_(fd), buffer_(session.buffers.Take()) {}

Worker::~Worker() { session.buffers.Give(buffer_); }

uint8_t* Worker::GiveBuffer() {
  uint8_t* given = buffer_;
  buffer_ = session.buffers.Take();
  return given;
}

uint8_t* Worker::Scratch() {
  if (!scratch_) scratch_.reset(new uint8_t[kScratchBytes]);
  return scratch_.get();
}

void Worker::UseUmask(mode_t mask) {
  if (mask == umask_) return;
  umask(mask);
  umask_ = mask;
}

void Worker::LeaveGate() {
  if (!inGate_) return;
  inGate_ = false;
  session.LeaveGate();
}

int Worker::Run() {
  for (;;) {
    session.idleWorkers.fetch_add(1, std::memory_order_relaxed);
    ssize_t bytes = read(fd_, buffer_, kRequestBytes);
    int left = session.idleWorkers.fetch_sub(1, std::memory_order_relaxed) - 1;
    if (bytes < 0) {
      // ENOENT: the request was interrupted away before it was read.
      if (errno == EINTR || errno == EAGAIN || errno == ENOENT) continue;
      return errno;
    }
    if (bytes < static_cast<ssize_t>(sizeof(abi::InHeader))) continue;
    if (left == 0) session.SpawnIfNoneIdle();
    Dispatch(static_cast<size_t>(bytes), fd_, false);
  }
}

void Worker::Serve(const ParkedRequest& parked) {
  session.buffers.Give(buffer_);
  buffer_ = parked.buffer;
  Dispatch(parked.bytes, parked.fd, true);
}

void Worker::Dispatch(size_t bytes, int fd, bool parkedBefore) {
  Request request(*this, fd, buffer_);
  session.requests.fetch_add(1, std::memory_order_relaxed);
  Handler handler = HandlerOf(request.head.opcode);
  if (handler == nullptr) return request.Error(ENOSYS);
  if (!IsChange(request)) return handler(session, request);
  switch (session.EnterGate(parkedBefore)) {
    case Session::Entry::refused: return request.Error(EROFS);
    case Session::Entry::wait: return session.Park({GiveBuffer(), bytes, fd});
    case Session::Entry::entered: break;
  }
  inGate_ = true;
  handler(session, request);
  LeaveGate();
}

void Request::Reply(const void* data, size_t bytes) {
  WriteReply(fd_, head.unique, 0, data, bytes);
}

void Request::Error(int errnum) { WriteReply(fd_, head.unique, errnum, nullptr, 0); }

}  // namespace twinfs
