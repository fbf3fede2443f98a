// A worker thread: reads requests from its own clone of /dev/fuse and serves them.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers.h"
#include "session.h"

namespace twinfs {

Worker::Worker(Session& session, int fd)
    : session(session), fd_(fd), buffer_(session.buffers.take()) {}

Worker::~Worker() { session.buffers.give(buffer_); }

uint8_t* Worker::giveBuffer() {
  uint8_t* given = buffer_;
  buffer_ = session.buffers.take();
  return given;
}

uint8_t* Worker::scratch() {
  if (!scratch_) scratch_.reset(new uint8_t[kScratchBytes]);
  return scratch_.get();
}

void Worker::useUmask(mode_t mask) {
  if (mask == umask_) return;
  umask(mask);
  umask_ = mask;
}

void Worker::leaveGate() {
  if (!inGate_) return;
  inGate_ = false;
  session.leaveGate();
}

int Worker::run() {
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
    if (left == 0) session.spawnIfNoneIdle();
    dispatch(static_cast<size_t>(bytes), fd_);
  }
}

void Worker::serve(const ParkedRequest& parked) {
  session.buffers.give(buffer_);
  buffer_ = parked.buffer;
  dispatch(parked.bytes, parked.fd);
}

void Worker::dispatch(size_t bytes, int fd) {
  Request request(*this, fd, buffer_);
  session.requests.fetch_add(1, std::memory_order_relaxed);
  Handler handler = handlerOf(request.head.opcode);
  if (handler == nullptr) return request.error(ENOSYS);
  if (!isChange(request)) return handler(session, request);
  switch (session.enterGate()) {
    case Session::Entry::refused: return request.error(EROFS);
    case Session::Entry::wait: return session.park({giveBuffer(), bytes, fd});
    case Session::Entry::entered: break;
  }
  inGate_ = true;
  handler(session, request);
  leaveGate();
}

void Request::reply(const void* data, size_t bytes) {
  writeReply(fd_, head.unique, 0, data, bytes);
}

void Request::error(int errnum) { writeReply(fd_, head.unique, errnum, nullptr, 0); }

}  // namespace twinfs
