// SETATTR: size, owner, mode and times, in this order when several come together.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

namespace {

struct Applied {
  bool truncated = false;
  bool killed = false;
  bool owner = false;  // owner or mode
  bool times = false;
  bool atime = false;
};

int ChangeOwner(int path, const abi::SetattrIn& in) {
  uid_t uid = (in.valid & abi::kAttrUid) != 0 ? in.uid : static_cast<uid_t>(-1);
  gid_t gid = (in.valid & abi::kAttrGid) != 0 ? in.gid : static_cast<gid_t>(-1);
  return fchownat(path, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

struct timespec TimeOf(const abi::SetattrIn& in, uint32_t set, uint32_t now, uint64_t seconds,
                       uint32_t ns) {
  if ((in.valid & set) == 0) return {0, UTIME_OMIT};
  if ((in.valid & now) != 0) return {0, UTIME_NOW};
  return {static_cast<time_t>(seconds), static_cast<long>(ns)};
}

int ChangeTimes(int path, const abi::SetattrIn& in) {
  struct timespec times[2] = {
      TimeOf(in, abi::kAttrAtime, abi::kAttrAtimeNow, in.atime, in.atimeNs),
      TimeOf(in, abi::kAttrMtime, abi::kAttrMtimeNow, in.mtime, in.mtimeNs),
  };
  // The magic link leads to the inode itself, a symlink included.
  return utimensat(AT_FDCWD, ProcPath(path).Get(), times, 0) == 0 ? 0 : errno;
}

// `file`: the open file of the request, or one opened for the truncation.
int Apply(Session& session, Request& request, int path, OpenFile* file, Applied* applied) {
  const auto& in = request.Arg<abi::SetattrIn>();
  int errnum = 0;
  if ((in.valid & abi::kAttrSize) != 0) {
    bool kill = (in.valid & abi::kAttrKillSuidgid) != 0;
    errnum = TruncateFile(session, request, file, in.size, kill, &applied->killed);
    applied->truncated = errnum == 0;
  }
  if (errnum == 0 && (in.valid & (abi::kAttrUid | abi::kAttrGid)) != 0) {
    errnum = ChangeOwner(path, in);
    applied->owner = errnum == 0;
  }
  if (errnum == 0 && (in.valid & abi::kAttrMode) != 0) {
    errnum = chmod(ProcPath(path).Get(), in.mode & 07777) == 0 ? 0 : errno;
    applied->owner = applied->owner || errnum == 0;
  }
  if (errnum == 0 && (in.valid & (abi::kAttrAtime | abi::kAttrMtime)) != 0) {
    errnum = ChangeTimes(path, in);
    applied->times = errnum == 0;
    applied->atime = applied->times && (in.valid & abi::kAttrAtime) != 0;
  }
  return errnum;
}

int64_t Nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void Emit(Session& session, const Node* node, const Applied& applied, const struct stat& st,
          uint64_t size, double token) {
  if (applied.truncated) {
    Record record;
    record.kind = kTruncate;
    record.flags = applied.killed ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = Number(node->id);
    record.a = Number(size);
    session.stream.Emit(record);
  }
  if (applied.owner) {
    Record record;
    record.kind = kSetattr;
    record.token = applied.truncated ? 0 : token;
    record.ref = Number(node->id);
    record.c = st.st_mode;
    record.d = st.st_uid;
    record.e = st.st_gid;
    session.stream.Emit(record);
  }
  if (applied.times) {
    Record record;
    record.kind = kTimes;
    record.flags = applied.atime ? kFlagAtime : 0;
    record.ref = Number(node->id);
    record.g = Nanoseconds(st.st_mtim);
    record.h = Nanoseconds(st.st_atim);
    session.stream.Emit(record);
  }
}

uint8_t MarkOf(const Applied& applied) {
  bool attributes = applied.owner || applied.times || applied.killed;
  return static_cast<uint8_t>((applied.truncated ? kMarkData : 0) |
                              (attributes ? kMarkAttributes : 0));
}

}  // namespace

void HandleSetattr(Session& session, Request& request) {
  const abi::SetattrIn in = request.Arg<abi::SetattrIn>();
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  OpenFile* file = nullptr;
  if ((in.valid & abi::kAttrSize) != 0) {
    if ((in.valid & abi::kAttrFh) != 0) {
      file = FileOf(in.fh);
      file->refs.fetch_add(1);
    } else {
      int fd = open(ProcPath(path.Get()).Get(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) return request.Error(errno);
      session.nodes.Ref(node.Get());
      file = new OpenFile(fd, node.Get());
    }
  }
  RangeGuard guard(session.ranges, node.Get(), 0, kWholeFile);
  Applied applied;
  struct stat st;
  int errnum = Apply(session, request, path.Get(), file, &applied);
  if (fstat(path.Get(), &st) != 0 && errnum == 0) errnum = errno;
  bool changed = applied.truncated || applied.owner || applied.times;
  if (!changed) {
    guard.Release();
    if (errnum != 0) {
      request.Error(errnum);
    } else {
      abi::AttrOut out;
      FillAttrOut(st, &out);
      request.Reply(&out, sizeof(out));
    }
    if (file != nullptr) session.CloseFile(file);
    return;
  }
  abi::AttrOut out;
  FillAttrOut(st, &out);
  // Times alone are bookkeeping nobody waits for, as the coalesced ones are. A request that failed
  // half way is answered with its error, but what it did change travels.
  Wait wait = applied.truncated ? Wait::data : applied.owner ? Wait::name : Wait::nobody;
  if (errnum != 0) wait = Wait::nobody;
  Change change{request, wait, &out, sizeof(out), &guard, file};
  Touch touch{node.Get(), MarkOf(applied), applied.truncated};
  auto record = [&](bool streaming, double token) {
    if (streaming) Emit(session, node.Get(), applied, st, in.size, token);
  };
  if (errnum != 0) {
    session.Submit(change, {touch}, record);
    request.Error(errnum);
  } else {
    session.Publish(change, {touch}, record);
  }
  if (file != nullptr) session.CloseFile(file);
}

}  // namespace twinfs
