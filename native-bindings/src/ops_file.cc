// Open files: OPEN, READ, LSEEK, RELEASE.
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "handlers.h"

namespace twinfs {

int backingFlags(const Session& session, uint32_t flags) {
  // The kernel gives offsets (O_APPEND), does page alignment (O_DIRECT) and tells each write that must be
  // durable (O_SYNC) itself.
  uint32_t kept = flags & (O_ACCMODE | O_NOATIME);
  // Written pages of the kernel's cache may have to be read back to be completed.
  if (session.writebackCache && (flags & O_ACCMODE) == O_WRONLY) {
    kept = (kept & ~static_cast<uint32_t>(O_ACCMODE)) | O_RDWR;
  }
  return static_cast<int>(kept) | O_CLOEXEC;
}

uint32_t openReplyFlags(const Session& session, uint32_t flags) {
  // Writers that do not read: straight through, side by side on one file. Others are worth a cache.
  if ((flags & O_ACCMODE) == O_WRONLY && !session.writebackCache) {
    return abi::kOpenDirectIo | abi::kOpenParallelDirectWrites;
  }
  return abi::kOpenKeepCache;
}

int openNode(Session& session, Node* node, int flags) {
  PathFd path = session.nodes.fd(node);
  if (!path.ok()) return -path.error();
  int fd = open(ProcPath(path.get()).get(), flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

OpenFile* makeOpenFile(Session& session, int fd, Node* node) {
  session.nodes.ref(node);
  node->opens.fetch_add(1);
  return new OpenFile(fd, node);
}

static void dropOpen(Session& session, OpenFile* file) {
  file->node->opens.fetch_sub(1);
  session.closeFile(file);
}

static void openAndTruncate(Session& session, Request& request, OpenFile* file,
                            const abi::OpenOut& reply) {
  RangeGuard guard(session.ranges, file->node, 0, kWholeFile);
  bool kill = false;
  bool killWanted = (request.arg<abi::OpenIn>().openFlags & abi::kOpenKillSuidgid) != 0;
  int errnum = truncateFile(session, request, file, 0, killWanted, &kill);
  if (errnum != 0) {
    guard.release();
    request.error(errnum);
    return dropOpen(session, file);
  }
  Node* node = file->node;
  Change change{request, Wait::data, &reply, sizeof(reply), &guard, file};
  session.publish(change, {{node, kMarkData, true}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kTruncate;
    record.flags = kill ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = number(node->id);
    session.stream.emit(record);
  });
}

void handleOpen(Session& session, Request& request) {
  const auto& in = request.arg<abi::OpenIn>();
  NodeHold node(session, session.nodes.find(request.head.nodeid));
  if (!node) return request.error(ESTALE);
  int fd = openNode(session, node.get(), backingFlags(session, in.flags));
  if (fd < 0) return request.error(-fd);
  OpenFile* file = makeOpenFile(session, fd, node.get());
  abi::OpenOut out = {};
  out.fh = reinterpret_cast<uint64_t>(file);
  out.openFlags = openReplyFlags(session, in.flags);
  if ((in.flags & O_TRUNC) != 0) return openAndTruncate(session, request, file, out);
  request.reply(&out, sizeof(out));
}

void handleRead(Session&, Request& request) {
  const auto& in = request.arg<abi::ReadIn>();
  uint8_t* out = request.worker.scratch();
  size_t want = std::min<size_t>(in.size, kScratchBytes);
  size_t done = 0;
  while (done < want) {
    ssize_t got = pread(fileOf(in.fh)->fd, out + done, want - done,
                        static_cast<off_t>(in.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && done == 0) return request.error(errno);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  request.reply(out, done);
}

void handleLseek(Session&, Request& request) {
  // Only SEEK_DATA and SEEK_HOLE arrive; the shared offset of the backing file is never used.
  const auto& in = request.arg<abi::LseekIn>();
  off_t found = lseek(fileOf(in.fh)->fd, static_cast<off_t>(in.offset), static_cast<int>(in.whence));
  if (found < 0) return request.error(errno);
  abi::LseekOut out = {static_cast<uint64_t>(found)};
  request.reply(&out, sizeof(out));
}

void handleRelease(Session& session, Request& request) {
  OpenFile* file = fileOf(request.arg<abi::ReleaseIn>().fh);
  request.ok();
  dropOpen(session, file);
}

}  // namespace twinfs
