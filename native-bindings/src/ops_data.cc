// Changes of content: WRITE, FALLOCATE, COPY_FILE_RANGE, and truncation for SETATTR and OPEN.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "handlers.h"

namespace twinfs {

// From here on a payload's request buffer itself is handed over; a smaller large one is copied to
// memory of its own size, so that the hand-over budget bounds the memory behind it within a factor
// of two.
constexpr size_t kGiveBufferBytes = kMaxWriteBytes / 2;
// A longer copy is done in several calls: it is replayed on the peer in one go.
constexpr uint64_t kCopyBytesMax = 16 * 1024 * 1024;

static bool HasPrivilegeBits(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0;
}

// Runs `call`; with `kill` as somebody without CAP_FSETID, so that the backing filesystem clears
// suid and sgid by its own rules, as it would for the caller. As a member of the file's group: the
// protocol says that sgid without group execution stays.
template <class Call>
static auto WithoutPrivilege(const Request& request, int fd, bool kill, Call&& call) {
  struct stat st;
  if (!kill || fstat(fd, &st) != 0) return call();
  Credentials plain(request.head.uid != 0 ? request.head.uid : 65534, st.st_gid);
  return call();
}

static ssize_t WriteAll(int fd, const uint8_t* data, size_t bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes) {
    ssize_t wrote = pwrite(fd, data + done, bytes - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return done > 0 ? static_cast<ssize_t>(done) : -errno;
    done += static_cast<size_t>(wrote);
  }
  return static_cast<ssize_t>(done);
}

int TruncateFile(Session& session, Request& request, OpenFile* file, uint64_t size,
                 bool killWanted, bool* killed) {
  *killed = killWanted && HasPrivilegeBits(file->fd);
  int errnum = WithoutPrivilege(request, file->fd, *killed, [&] {
    return ftruncate(file->fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
  });
  if (*killed) session.InvalidateAttributes(file->node);
  return errnum;
}

// fallocate and copy_file_range take privilege bits away, too, but their records do not say so.
static void EmitMode(Session& session, OpenFile* file) {
  struct stat st;
  if (fstat(file->fd, &st) != 0) return;
  Record record;
  record.kind = kSetattr;
  record.ref = Number(file->node->id);
  record.c = st.st_mode;
  record.d = st.st_uid;
  record.e = st.st_gid;
  session.stream.Emit(record);
}

static void EmitWrite(Session& session, Request& request, Record& record, const uint8_t* data,
                      size_t bytes) {
  if (bytes < kLargePayloadBytes) {
    session.stream.Emit(record, {}, {}, {reinterpret_cast<const char*>(data), bytes});
    return;
  }
  LargePayload payload;
  payload.bytes = bytes;
  if (bytes >= kGiveBufferBytes) {
    payload.data = data;
    payload.pooled = request.worker.GiveBuffer();
  } else {
    payload.owned = new uint8_t[bytes];
    std::memcpy(payload.owned, data, bytes);
    payload.data = payload.owned;
  }
  session.stream.EmitLarge(record, payload);
}

void HandleWrite(Session& session, Request& request) {
  // A copy: the request's buffer may be given away with the payload.
  const abi::WriteIn in = request.Arg<abi::WriteIn>();
  OpenFile* file = FileOf(in.fh);
  Node* node = file->node;
  const uint8_t* data = request.Bytes(sizeof(in));
  size_t bytes = std::min<size_t>(in.size, request.BodyBytes() - sizeof(in));
  RangeGuard guard(session.ranges, node, in.offset, in.offset + bytes);
  bool kill = (in.writeFlags & abi::kWriteKillSuidgid) != 0 && HasPrivilegeBits(file->fd);
  ssize_t wrote = WithoutPrivilege(
      request, file->fd, kill, [&] { return WriteAll(file->fd, data, bytes, in.offset); });
  if (kill) session.InvalidateAttributes(node);
  if (wrote < 0) {
    guard.Release();
    return request.Error(static_cast<int>(-wrote));
  }
  abi::WriteOut out = {static_cast<uint32_t>(wrote), 0};
  if (wrote == 0) {
    guard.Release();
    return request.Reply(&out, sizeof(out));
  }
  bool durable = (in.flags & O_DSYNC) != 0;  // O_SYNC includes it
  Change change{request, durable ? Wait::nobody : Wait::data, &out, sizeof(out), &guard, file};
  auto emit = [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kWrite;
    record.flags = kill ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = Number(node->id);
    record.a = Number(in.offset);
    EmitWrite(session, request, record, data, static_cast<size_t>(wrote));
  };
  uint8_t mark = kill ? kMarkData | kMarkAttributes : kMarkData;
  if (!durable) return session.Publish(change, {{node, mark, true}}, emit);
  // O_SYNC, O_DSYNC, RWF_DSYNC: a write and an fsync, answered as the fsync is.
  session.Submit(change, {{node, mark, true}}, emit);
  SyncAndReply(session, request, node, file->fd, (in.flags & O_SYNC) != O_SYNC, &out, sizeof(out));
}

void HandleFallocate(Session& session, Request& request) {
  const auto& in = request.Arg<abi::FallocateIn>();
  OpenFile* file = FileOf(in.fh);
  Node* node = file->node;
  RangeGuard guard(session.ranges, node, 0, kWholeFile);
  bool kill = request.head.uid != 0 && HasPrivilegeBits(file->fd);
  int errnum = WithoutPrivilege(request, file->fd, kill, [&] {
    return fallocate(file->fd, static_cast<int>(in.mode), static_cast<off_t>(in.offset),
                     static_cast<off_t>(in.length)) == 0 ? 0 : errno;
  });
  if (kill) session.InvalidateAttributes(node);
  if (errnum != 0) {
    guard.Release();
    return request.Error(errnum);
  }
  Change change{request, Wait::data, nullptr, 0, &guard, file};
  session.Publish(change, {{node, kMarkData, true}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kFallocate;
    record.token = token;
    record.ref = Number(node->id);
    record.a = Number(in.offset);
    record.b = Number(in.length);
    record.c = in.mode;
    session.stream.Emit(record);
    if (kill) EmitMode(session, file);
  });
}

// Whether the peer can name both inodes; a copy it cannot repeat is left to reads and writes.
static bool CanStreamCopy(Session& session, Node* from, Node* to) {
  std::lock_guard lock(session.stream.mutex);
  if (session.stream.State() != StreamState::on) return true;
  bool bound = session.stream.Bind(from);
  return bound || !session.stream.Bind(to);
}

void HandleCopyFileRange(Session& session, Request& request) {
  const auto& in = request.Arg<abi::CopyFileRangeIn>();
  OpenFile* source = FileOf(in.fhIn);
  OpenFile* target = FileOf(in.fhOut);
  Node* from = source->node;
  Node* to = target->node;
  if (!CanStreamCopy(session, from, to)) return request.Error(EOPNOTSUPP);
  RangeGuard guard(session.ranges);
  guard.Take(std::min(from, to), 0, kWholeFile);
  if (from != to) guard.Take(std::max(from, to), 0, kWholeFile);
  off_t offsetIn = static_cast<off_t>(in.offsetIn);
  off_t offsetOut = static_cast<off_t>(in.offsetOut);
  bool kill = request.head.uid != 0 && HasPrivilegeBits(target->fd);
  ssize_t copied = WithoutPrivilege(request, target->fd, kill, [&] {
    return copy_file_range(source->fd, &offsetIn, target->fd, &offsetOut,
                           std::min(in.length, kCopyBytesMax), 0);
  });
  if (kill) session.InvalidateAttributes(to);
  if (copied < 0) {
    int errnum = errno;
    guard.Release();
    return request.Error(errnum);
  }
  abi::WriteOut out = {static_cast<uint32_t>(copied), 0};
  if (copied == 0) {
    guard.Release();
    return request.Reply(&out, sizeof(out));
  }
  Change change{request, Wait::data, &out, sizeof(out), &guard, target};
  session.Publish(change, {{from, 0, false}, {to, kMarkData, true}},
                  [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kCopyRange;
    record.token = token;
    record.ref = Number(to->id);
    record.parent = Number(from->id);
    record.a = Number(in.offsetIn);
    record.b = Number(in.offsetOut);
    record.h = copied;
    session.stream.Emit(record);
    if (kill) EmitMode(session, target);
  });
}

}  // namespace twinfs
