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

int changeOwner(int path, const abi::SetattrIn& in) {
  uid_t uid = (in.valid & abi::kAttrUid) != 0 ? in.uid : static_cast<uid_t>(-1);
  gid_t gid = (in.valid & abi::kAttrGid) != 0 ? in.gid : static_cast<gid_t>(-1);
  return fchownat(path, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

struct timespec timeOf(const abi::SetattrIn& in, uint32_t set, uint32_t now, uint64_t seconds,
                       uint32_t ns) {
  if ((in.valid & set) == 0) return {0, UTIME_OMIT};
  if ((in.valid & now) != 0) return {0, UTIME_NOW};
  return {static_cast<time_t>(seconds), static_cast<long>(ns)};
}

int changeTimes(int path, const abi::SetattrIn& in) {
  struct timespec times[2] = {
      timeOf(in, abi::kAttrAtime, abi::kAttrAtimeNow, in.atime, in.atimeNs),
      timeOf(in, abi::kAttrMtime, abi::kAttrMtimeNow, in.mtime, in.mtimeNs),
  };
  // The magic link leads to the inode itself, a symlink included.
  return utimensat(AT_FDCWD, ProcPath(path).get(), times, 0) == 0 ? 0 : errno;
}

// `file`: the open file of the request, or one opened for the truncation.
int apply(Session& session, Request& request, int path, OpenFile* file, Applied* applied) {
  const auto& in = request.arg<abi::SetattrIn>();
  int errnum = 0;
  if ((in.valid & abi::kAttrSize) != 0) {
    bool kill = (in.valid & abi::kAttrKillSuidgid) != 0;
    errnum = truncateFile(session, request, file, in.size, kill, &applied->killed);
    applied->truncated = errnum == 0;
  }
  if (errnum == 0 && (in.valid & (abi::kAttrUid | abi::kAttrGid)) != 0) {
    errnum = changeOwner(path, in);
    applied->owner = errnum == 0;
  }
  if (errnum == 0 && (in.valid & abi::kAttrMode) != 0) {
    errnum = chmod(ProcPath(path).get(), in.mode & 07777) == 0 ? 0 : errno;
    applied->owner = applied->owner || errnum == 0;
  }
  if (errnum == 0 && (in.valid & (abi::kAttrAtime | abi::kAttrMtime)) != 0) {
    errnum = changeTimes(path, in);
    applied->times = errnum == 0;
    applied->atime = applied->times && (in.valid & abi::kAttrAtime) != 0;
  }
  return errnum;
}

int64_t nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void emit(Session& session, const Node* node, const Applied& applied, const struct stat& st,
          uint64_t size, double token) {
  if (applied.truncated) {
    Record record;
    record.kind = kTruncate;
    record.flags = applied.killed ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = number(node->id);
    record.a = number(size);
    session.stream.emit(record);
  }
  if (applied.owner) {
    Record record;
    record.kind = kSetattr;
    record.token = applied.truncated ? 0 : token;
    record.ref = number(node->id);
    record.c = st.st_mode;
    record.d = st.st_uid;
    record.e = st.st_gid;
    session.stream.emit(record);
  }
  if (applied.times) {
    Record record;
    record.kind = kTimes;
    record.flags = applied.atime ? kFlagAtime : 0;
    record.ref = number(node->id);
    record.g = nanoseconds(st.st_mtim);
    record.h = nanoseconds(st.st_atim);
    session.stream.emit(record);
  }
}

uint8_t markOf(const Applied& applied) {
  return static_cast<uint8_t>((applied.truncated ? kMarkData : 0) |
                              (applied.owner || applied.times || applied.killed ? kMarkAttributes : 0));
}

}  // namespace

void handleSetattr(Session& session, Request& request) {
  const abi::SetattrIn in = request.arg<abi::SetattrIn>();
  NodeHold node(session, session.nodes.find(request.head.nodeid));
  if (!node) return request.error(ESTALE);
  PathFd path = session.nodes.fd(node.get());
  if (!path.ok()) return request.error(path.error());
  OpenFile* file = nullptr;
  if ((in.valid & abi::kAttrSize) != 0) {
    if ((in.valid & abi::kAttrFh) != 0) {
      file = fileOf(in.fh);
      file->refs.fetch_add(1);
    } else {
      int fd = open(ProcPath(path.get()).get(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) return request.error(errno);
      session.nodes.ref(node.get());
      file = new OpenFile(fd, node.get());
    }
  }
  RangeGuard guard(session.ranges, node.get(), 0, kWholeFile);
  Applied applied;
  struct stat st;
  int errnum = apply(session, request, path.get(), file, &applied);
  if (fstat(path.get(), &st) != 0 && errnum == 0) errnum = errno;
  bool changed = applied.truncated || applied.owner || applied.times;
  if (!changed) {
    guard.release();
    if (errnum != 0) {
      request.error(errnum);
    } else {
      abi::AttrOut out;
      fillAttrOut(st, &out);
      request.reply(&out, sizeof(out));
    }
    if (file != nullptr) session.closeFile(file);
    return;
  }
  abi::AttrOut out;
  fillAttrOut(st, &out);
  // Times alone are bookkeeping nobody waits for, as the coalesced ones are. A request that failed half way
  // is answered with its error, but what it did change travels.
  Wait wait = applied.truncated ? Wait::data : applied.owner ? Wait::name : Wait::nobody;
  if (errnum != 0) wait = Wait::nobody;
  Change change{request, wait, &out, sizeof(out), &guard, file};
  Touch touch{node.get(), markOf(applied), applied.truncated};
  auto record = [&](bool streaming, double token) {
    if (streaming) emit(session, node.get(), applied, st, in.size, token);
  };
  if (errnum != 0) {
    session.submit(change, {touch}, record);
    request.error(errnum);
  } else {
    session.publish(change, {touch}, record);
  }
  if (file != nullptr) session.closeFile(file);
}

}  // namespace twinfs
