// Names to inodes, and what an inode is: LOOKUP, FORGET, GETATTR, STATX, READLINK, STATFS.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "handlers.h"

namespace twinfs {

ProcPath::ProcPath(int fd) { std::snprintf(text_, sizeof(text_), "/proc/self/fd/%d", fd); }

void FillAttr(const struct stat& st, abi::Attr* attr) {
  attr->ino = st.st_ino;
  attr->size = static_cast<uint64_t>(st.st_size);
  attr->blocks = static_cast<uint64_t>(st.st_blocks);
  attr->atime = static_cast<uint64_t>(st.st_atim.tv_sec);
  attr->mtime = static_cast<uint64_t>(st.st_mtim.tv_sec);
  attr->ctime = static_cast<uint64_t>(st.st_ctim.tv_sec);
  attr->atimeNs = static_cast<uint32_t>(st.st_atim.tv_nsec);
  attr->mtimeNs = static_cast<uint32_t>(st.st_mtim.tv_nsec);
  attr->ctimeNs = static_cast<uint32_t>(st.st_ctim.tv_nsec);
  attr->mode = st.st_mode;
  attr->nlink = static_cast<uint32_t>(st.st_nlink);
  attr->uid = st.st_uid;
  attr->gid = st.st_gid;
  attr->rdev = static_cast<uint32_t>(st.st_rdev);
  attr->blockSize = static_cast<uint32_t>(st.st_blksize);
  attr->flags = 0;
}

void FillEntry(const Session& session, const Node* node, const struct stat& st,
               abi::EntryOut* entry) {
  *entry = {};
  entry->nodeid = node->id;
  entry->generation = session.generation;
  entry->entryValid = kValidSeconds;
  entry->attrValid = kValidSeconds;
  FillAttr(st, &entry->attr);
}

void FillAttrOut(const struct stat& st, abi::AttrOut* out) {
  *out = {};
  out->attrValid = kValidSeconds;
  FillAttr(st, &out->attr);
}

// Waits until no namespace change of the directory is between its system call and the stream.
static uint32_t SettledNames(const Node* directory) {
  uint32_t seq = directory->nameSeq.load();
  for (int spins = 0; (seq & 1) != 0; spins++) {
    if (spins < 100) {
      sched_yield();
    } else {
      usleep(100);
    }
    seq = directory->nameSeq.load();
  }
  return seq;
}

// Remembers the name, unless the directory changed since `seq`: then what was found may not be its
// any more.
static bool RememberName(Session& session, Node* node, Node* parent, std::string_view name,
                         uint32_t seq) {
  std::lock_guard lock(session.stream.mutex);
  if (node->HasAlias(parent, name.data(), name.size())) return true;
  if (parent->nameSeq.load() != seq) return false;
  session.nodes.Ref(parent);
  node->AddAlias(parent, name.data(), name.size());
  return true;
}

int LookupName(Session& session, Node* parent, const char* name, abi::EntryOut* entry) {
  PathFd directory = session.nodes.OpenPath(parent);
  if (!directory.Ok()) return directory.Error();
  for (;;) {
    uint32_t seq = SettledNames(parent);
    int fd = openat(directory.Get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno;
    struct stat st;
    if (fstat(fd, &st) != 0) {
      close(fd);
      return EIO;
    }
    // Another filesystem mounted below the source is not part of the mirror: it is refused, not
    // followed.
    if (st.st_dev != session.nodes.Device()) {
      close(fd);
      return EXDEV;
    }
    bool kept = false;
    Node* node = session.nodes.Adopt(fd, st, &kept);
    if (!kept) close(fd);
    if (node == session.nodes.Root()) {
      // Only a bind mount or a broken filesystem leads back to the root.
      session.Unref(node);
      return ELOOP;
    }
    if (!RememberName(session, node, parent, name, seq)) {
      session.Unref(node);
      continue;
    }
    FillEntry(session, node, st, entry);
    return 0;
  }
}

void HandleLookup(Session& session, Request& request) {
  NodeHold parent(session, session.nodes.Find(request.head.nodeid));
  if (!parent) return request.Error(ESTALE);
  abi::EntryOut entry;
  int errnum = LookupName(session, parent.Get(), request.Text(0), &entry);
  if (errnum == ENOENT) {
    // A negative entry the kernel keeps until it creates the name itself.
    entry = {};
    entry.entryValid = kValidSeconds;
  } else if (errnum != 0) {
    return request.Error(errnum);
  }
  request.Reply(&entry, sizeof(entry));
}

static void Forget(Session& session, uint64_t id, uint64_t count) {
  Node* node = session.nodes.Find(id);
  if (node == nullptr || node == session.nodes.Root()) {
    if (node != nullptr) session.Unref(node);
    return;
  }
  session.Unref(node, count + 1);
}

void HandleForget(Session& session, Request& request) {
  Forget(session, request.head.nodeid, request.Arg<abi::ForgetIn>().nlookup);
}

void HandleBatchForget(Session& session, Request& request) {
  const auto& in = request.Arg<abi::BatchForgetIn>();
  const auto* one = reinterpret_cast<const abi::ForgetOne*>(request.Bytes(sizeof(in)));
  size_t fits = (request.BodyBytes() - sizeof(in)) / sizeof(*one);
  for (size_t i = 0; i < std::min<size_t>(in.count, fits); i++) {
    Forget(session, one[i].nodeid, one[i].nlookup);
  }
}

void HandleGetattr(Session& session, Request& request) {
  const auto& in = request.Arg<abi::GetattrIn>();
  struct stat st;
  if ((in.flags & abi::kGetattrFh) != 0) {
    if (fstat(FileOf(in.fh)->fd, &st) != 0) return request.Error(errno);
  } else {
    NodeHold node(session, session.nodes.Find(request.head.nodeid));
    if (!node) return request.Error(ESTALE);
    PathFd fd = session.nodes.OpenPath(node.Get());
    if (!fd.Ok()) return request.Error(fd.Error());
    if (fstat(fd.Get(), &st) != 0) return request.Error(errno);
  }
  abi::AttrOut out;
  FillAttrOut(st, &out);
  request.Reply(&out, sizeof(out));
}

static abi::StatxTime StatxTime(const struct statx_timestamp& time) {
  return {time.tv_sec, time.tv_nsec, 0};
}

void HandleStatx(Session& session, Request& request) {
  const auto& in = request.Arg<abi::StatxIn>();
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd fd = session.nodes.OpenPath(node.Get());
  if (!fd.Ok()) return request.Error(fd.Error());
  struct statx from;
  if (statx(fd.Get(), "", AT_EMPTY_PATH, in.mask | STATX_BASIC_STATS, &from) != 0) {
    return request.Error(errno);
  }
  abi::StatxOut out = {};
  out.attrValid = kValidSeconds;
  abi::Statx& to = out.stat;
  to.mask = from.stx_mask & (STATX_BASIC_STATS | STATX_BTIME);
  to.blockSize = from.stx_blksize;
  to.nlink = from.stx_nlink;
  to.uid = from.stx_uid;
  to.gid = from.stx_gid;
  to.mode = from.stx_mode;
  to.ino = from.stx_ino;
  to.size = from.stx_size;
  to.blocks = from.stx_blocks;
  to.atime = StatxTime(from.stx_atime);
  to.btime = StatxTime(from.stx_btime);
  to.ctime = StatxTime(from.stx_ctime);
  to.mtime = StatxTime(from.stx_mtime);
  to.rdevMajor = from.stx_rdev_major;
  to.rdevMinor = from.stx_rdev_minor;
  to.devMajor = from.stx_dev_major;
  to.devMinor = from.stx_dev_minor;
  request.Reply(&out, sizeof(out));
}

void HandleReadlink(Session& session, Request& request) {
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd fd = session.nodes.OpenPath(node.Get());
  if (!fd.Ok()) return request.Error(fd.Error());
  char target[4096];
  ssize_t bytes = readlinkat(fd.Get(), "", target, sizeof(target));
  if (bytes < 0) return request.Error(errno);
  request.Reply(target, static_cast<size_t>(bytes));
}

void HandleStatfs(Session& session, Request& request) {
  struct statvfs st;
  if (fstatvfs(session.rootFd, &st) != 0) return request.Error(errno);
  abi::StatfsOut out = {};
  out.blocks = st.f_blocks;
  out.bfree = st.f_bfree;
  out.bavail = st.f_bavail;
  out.files = st.f_files;
  out.ffree = st.f_ffree;
  out.bsize = static_cast<uint32_t>(st.f_bsize);
  out.namelen = static_cast<uint32_t>(st.f_namemax);
  out.frsize = static_cast<uint32_t>(st.f_frsize);
  PeerSpace peer;
  if (session.GetPeerSpace(&peer)) {
    // Applications meet ENOSPC here before the peer does.
    uint64_t unit = std::max<uint64_t>(st.f_frsize, 1);
    out.bfree = std::min<uint64_t>(out.bfree, peer.freeBytes / unit);
    out.bavail = std::min<uint64_t>(out.bavail, peer.availableBytes / unit);
    out.ffree = std::min<uint64_t>(out.ffree, peer.freeFiles);
  }
  request.Reply(&out, sizeof(out));
}

}  // namespace twinfs
