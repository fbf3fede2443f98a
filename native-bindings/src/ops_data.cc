// Changes of content: WRITE, FALLOCATE, COPY_FILE_RANGE, and truncation for SETATTR and OPEN.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "handlers.h"

namespace twinfs {

// From here on a payload's request buffer itself is handed over; a smaller large one is copied to memory of
// its own size, so that the hand-over budget bounds the memory behind it within a factor of two.
constexpr size_t kGiveBufferBytes = kMaxWriteBytes / 2;
// A longer copy is done in several calls: it is replayed on the peer in one go.
constexpr uint64_t kCopyBytesMax = 16 * 1024 * 1024;

static bool hasPrivilegeBits(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0;
}

// Runs `call`; with `kill` as somebody without CAP_FSETID, so that the backing filesystem clears suid and
// sgid by its own rules, as it would for the caller.
template <class Call>
static auto withoutPrivilege(const Request& request, bool kill, Call&& call) {
  if (!kill) return call();
  Credentials plain(request.head.uid != 0 ? request.head.uid : 65534);
  return call();
}

static ssize_t writeAll(int fd, const uint8_t* data, size_t bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t wrote = pwrite(fd, data + done, bytes - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return done > 0 ? static_cast<ssize_t>(done) : -errno;
    done += static_cast<size_t>(wrote);
  }
  return static_cast<ssize_t>(done);
}

int truncateFile(Session& session, Request& request, OpenFile* file, uint64_t size,
                 bool killWanted, bool* killed) {
  *killed = killWanted && hasPrivilegeBits(file->fd);
  int errnum = withoutPrivilege(request, *killed, [&] {
    return ftruncate(file->fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
  });
  if (*killed) session.invalidateAttributes(file->node);
  return errnum;
}

// fallocate and copy_file_range take privilege bits away, too, but their records do not say so.
static void emitMode(Session& session, OpenFile* file) {
  struct stat st;
  if (fstat(file->fd, &st) != 0) return;
  Record record;
  record.kind = kSetattr;
  record.ref = number(file->node->id);
  record.c = st.st_mode;
  record.d = st.st_uid;
  record.e = st.st_gid;
  session.stream.emit(record);
}

static void emitWrite(Session& session, Request& request, Record& record, const uint8_t* data,
                      size_t bytes) {
  if (bytes < kLargePayloadBytes) {
    session.stream.emit(record, {}, {}, {reinterpret_cast<const char*>(data), bytes});
    return;
  }
  LargePayload payload;
  payload.bytes = bytes;
  if (bytes >= kGiveBufferBytes) {
    payload.data = data;
    payload.pooled = request.worker.giveBuffer();
  } else {
    payload.owned = new uint8_t[bytes];
    std::memcpy(payload.owned, data, bytes);
    payload.data = payload.owned;
  }
  session.stream.emitLarge(record, payload);
}

void handleWrite(Session& session, Request& request) {
  // A copy: the request's buffer may be given away with the payload.
  const abi::WriteIn in = request.arg<abi::WriteIn>();
  OpenFile* file = fileOf(in.fh);
  Node* node = file->node;
  const uint8_t* data = request.bytes(sizeof(in));
  size_t bytes = std::min<size_t>(in.size, request.bodyBytes() - sizeof(in));
  RangeGuard guard(session.ranges, node, in.offset, in.offset + bytes);
  bool kill = (in.writeFlags & abi::kWriteKillSuidgid) != 0 && hasPrivilegeBits(file->fd);
  ssize_t wrote = withoutPrivilege(
      request, kill, [&] { return writeAll(file->fd, data, bytes, in.offset); });
  if (kill) session.invalidateAttributes(node);
  if (wrote < 0) {
    guard.release();
    return request.error(static_cast<int>(-wrote));
  }
  abi::WriteOut out = {static_cast<uint32_t>(wrote), 0};
  if (wrote == 0) {
    guard.release();
    return request.reply(&out, sizeof(out));
  }
  bool durable = (in.flags & O_DSYNC) != 0;  // O_SYNC includes it
  Change change{request, durable ? Wait::nobody : Wait::data, &out, sizeof(out), &guard, file};
  auto emit = [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kWrite;
    record.flags = kill ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = number(node->id);
    record.a = number(in.offset);
    emitWrite(session, request, record, data, static_cast<size_t>(wrote));
  };
  uint8_t mark = kill ? kMarkData | kMarkAttributes : kMarkData;
  if (!durable) return session.publish(change, {{node, mark, true}}, emit);
  // O_SYNC, O_DSYNC, RWF_DSYNC: a write and an fsync, answered as the fsync is.
  session.submit(change, {{node, mark, true}}, emit);
  syncAndReply(session, request, node, file->fd, (in.flags & O_SYNC) != O_SYNC, &out, sizeof(out));
}

void handleFallocate(Session& session, Request& request) {
  const auto& in = request.arg<abi::FallocateIn>();
  OpenFile* file = fileOf(in.fh);
  Node* node = file->node;
  RangeGuard guard(session.ranges, node, 0, kWholeFile);
  bool kill = request.head.uid != 0 && hasPrivilegeBits(file->fd);
  int errnum = withoutPrivilege(request, kill, [&] {
    return fallocate(file->fd, static_cast<int>(in.mode), static_cast<off_t>(in.offset),
                     static_cast<off_t>(in.length)) == 0 ? 0 : errno;
  });
  if (kill) session.invalidateAttributes(node);
  if (errnum != 0) {
    guard.release();
    return request.error(errnum);
  }
  Change change{request, Wait::data, nullptr, 0, &guard, file};
  session.publish(change, {{node, kMarkData, true}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kFallocate;
    record.token = token;
    record.ref = number(node->id);
    record.a = number(in.offset);
    record.b = number(in.length);
    record.c = in.mode;
    session.stream.emit(record);
    if (kill) emitMode(session, file);
  });
}

// Whether the peer can name both inodes; a copy it cannot repeat is left to reads and writes.
static bool canStreamCopy(Session& session, Node* from, Node* to) {
  std::lock_guard lock(session.stream.mutex);
  if (session.stream.state() != StreamState::on) return true;
  bool bound = session.stream.bind(from);
  return bound || !session.stream.bind(to);
}

void handleCopyFileRange(Session& session, Request& request) {
  const auto& in = request.arg<abi::CopyFileRangeIn>();
  OpenFile* source = fileOf(in.fhIn);
  OpenFile* target = fileOf(in.fhOut);
  Node* from = source->node;
  Node* to = target->node;
  if (!canStreamCopy(session, from, to)) return request.error(EOPNOTSUPP);
  RangeGuard guard(session.ranges);
  guard.take(std::min(from, to), 0, kWholeFile);
  if (from != to) guard.take(std::max(from, to), 0, kWholeFile);
  off_t offsetIn = static_cast<off_t>(in.offsetIn);
  off_t offsetOut = static_cast<off_t>(in.offsetOut);
  bool kill = request.head.uid != 0 && hasPrivilegeBits(target->fd);
  ssize_t copied = withoutPrivilege(request, kill, [&] {
    return copy_file_range(source->fd, &offsetIn, target->fd, &offsetOut,
                           std::min(in.length, kCopyBytesMax), 0);
  });
  if (kill) session.invalidateAttributes(to);
  if (copied < 0) {
    int errnum = errno;
    guard.release();
    return request.error(errnum);
  }
  abi::WriteOut out = {static_cast<uint32_t>(copied), 0};
  if (copied == 0) {
    guard.release();
    return request.reply(&out, sizeof(out));
  }
  Change change{request, Wait::data, &out, sizeof(out), &guard, target};
  session.publish(change, {{from, 0, false}, {to, kMarkData, true}},
                  [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kCopyRange;
    record.token = token;
    record.ref = number(to->id);
    record.parent = number(from->id);
    record.a = number(in.offsetIn);
    record.b = number(in.offsetOut);
    record.h = copied;
    session.stream.emit(record);
    if (kill) emitMode(session, target);
  });
}

}  // namespace twinfs
