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

void fillAttr(const struct stat& st, abi::Attr* attr) {
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

void fillEntry(const Session& session, const Node* node, const struct stat& st,
               abi::EntryOut* entry) {
  *entry = {};
  entry->nodeid = node->id;
  entry->generation = session.generation;
  entry->entryValid = kValidSeconds;
  entry->attrValid = kValidSeconds;
  fillAttr(st, &entry->attr);
}

void fillAttrOut(const struct stat& st, abi::AttrOut* out) {
  *out = {};
  out->attrValid = kValidSeconds;
  fillAttr(st, &out->attr);
}

// Waits until no namespace change of the directory is between its system call and the stream.
static uint32_t settledNames(const Node* directory) {
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

// Remembers the name, unless the directory changed since `seq`: then what was found may not be its any more.
static bool rememberName(Session& session, Node* node, Node* parent, std::string_view name,
                         uint32_t seq) {
  std::lock_guard lock(session.stream.mutex);
  if (node->hasAlias(parent, name.data(), name.size())) return true;
  if (parent->nameSeq.load() != seq) return false;
  session.nodes.ref(parent);
  node->addAlias(parent, name.data(), name.size());
  return true;
}

int lookupName(Session& session, Node* parent, const char* name, abi::EntryOut* entry) {
  PathFd directory = session.nodes.fd(parent);
  if (!directory.ok()) return directory.error();
  for (;;) {
    uint32_t seq = settledNames(parent);
    int fd = openat(directory.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno;
    struct stat st;
    if (fstat(fd, &st) != 0) {
      close(fd);
      return EIO;
    }
    // Another filesystem mounted below the source is not part of the mirror: it is refused, not followed.
    if (st.st_dev != session.nodes.device()) {
      close(fd);
      return EXDEV;
    }
    bool kept = false;
    Node* node = session.nodes.adopt(fd, st, &kept);
    if (!kept) close(fd);
    if (node == session.nodes.root()) {
      // Only a bind mount or a broken filesystem leads back to the root.
      session.unref(node);
      return ELOOP;
    }
    if (!rememberName(session, node, parent, name, seq)) {
      session.unref(node);
      continue;
    }
    fillEntry(session, node, st, entry);
    return 0;
  }
}

void handleLookup(Session& session, Request& request) {
  NodeHold parent(session, session.nodes.find(request.head.nodeid));
  if (!parent) return request.error(ESTALE);
  abi::EntryOut entry;
  int errnum = lookupName(session, parent.get(), request.text(0), &entry);
  if (errnum == ENOENT) {
    // A negative entry the kernel keeps until it creates the name itself.
    entry = {};
    entry.entryValid = kValidSeconds;
  } else if (errnum != 0) {
    return request.error(errnum);
  }
  request.reply(&entry, sizeof(entry));
}

static void forget(Session& session, uint64_t id, uint64_t count) {
  Node* node = session.nodes.find(id);
  if (node == nullptr || node == session.nodes.root()) {
    if (node != nullptr) session.unref(node);
    return;
  }
  session.unref(node, count + 1);
}

void handleForget(Session& session, Request& request) {
  forget(session, request.head.nodeid, request.arg<abi::ForgetIn>().nlookup);
}

void handleBatchForget(Session& session, Request& request) {
  const auto& in = request.arg<abi::BatchForgetIn>();
  const auto* one = reinterpret_cast<const abi::ForgetOne*>(request.bytes(sizeof(in)));
  size_t fits = (request.bodyBytes() - sizeof(in)) / sizeof(*one);
  for (size_t i = 0; i < std::min<size_t>(in.count, fits); i++) {
    forget(session, one[i].nodeid, one[i].nlookup);
  }
}

void handleGetattr(Session& session, Request& request) {
  const auto& in = request.arg<abi::GetattrIn>();
  struct stat st;
  if ((in.flags & abi::kGetattrFh) != 0) {
    if (fstat(fileOf(in.fh)->fd, &st) != 0) return request.error(errno);
  } else {
    NodeHold node(session, session.nodes.find(request.head.nodeid));
    if (!node) return request.error(ESTALE);
    PathFd fd = session.nodes.fd(node.get());
    if (!fd.ok()) return request.error(fd.error());
    if (fstat(fd.get(), &st) != 0) return request.error(errno);
  }
  abi::AttrOut out;
  fillAttrOut(st, &out);
  request.reply(&out, sizeof(out));
}

static abi::StatxTime statxTime(const struct statx_timestamp& time) {
  return {time.tv_sec, time.tv_nsec, 0};
}

void handleStatx(Session& session, Request& request) {
  const auto& in = request.arg<abi::StatxIn>();
  NodeHold node(session, session.nodes.find(request.head.nodeid));
  if (!node) return request.error(ESTALE);
  PathFd fd = session.nodes.fd(node.get());
  if (!fd.ok()) return request.error(fd.error());
  struct statx from;
  if (statx(fd.get(), "", AT_EMPTY_PATH, in.mask | STATX_BASIC_STATS, &from) != 0) {
    return request.error(errno);
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
  to.atime = statxTime(from.stx_atime);
  to.btime = statxTime(from.stx_btime);
  to.ctime = statxTime(from.stx_ctime);
  to.mtime = statxTime(from.stx_mtime);
  to.rdevMajor = from.stx_rdev_major;
  to.rdevMinor = from.stx_rdev_minor;
  to.devMajor = from.stx_dev_major;
  to.devMinor = from.stx_dev_minor;
  request.reply(&out, sizeof(out));
}

void handleReadlink(Session& session, Request& request) {
  NodeHold node(session, session.nodes.find(request.head.nodeid));
  if (!node) return request.error(ESTALE);
  PathFd fd = session.nodes.fd(node.get());
  if (!fd.ok()) return request.error(fd.error());
  char target[4096];
  ssize_t bytes = readlinkat(fd.get(), "", target, sizeof(target));
  if (bytes < 0) return request.error(errno);
  request.reply(target, static_cast<size_t>(bytes));
}

void handleStatfs(Session& session, Request& request) {
  struct statvfs st;
  if (fstatvfs(session.rootFd, &st) != 0) return request.error(errno);
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
  if (session.peerSpace(&peer)) {
    // Applications meet ENOSPC here before the peer does.
    uint64_t unit = std::max<uint64_t>(st.f_frsize, 1);
    out.bfree = std::min<uint64_t>(out.bfree, peer.freeBytes / unit);
    out.bavail = std::min<uint64_t>(out.bavail, peer.availableBytes / unit);
    out.ffree = std::min<uint64_t>(out.ffree, peer.freeFiles);
  }
  request.reply(&out, sizeof(out));
}

}  // namespace twinfs
