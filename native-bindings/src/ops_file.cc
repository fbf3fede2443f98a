// Open files: OPEN, READ, LSEEK, RELEASE.
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "handlers.h"

namespace twinfs {

int BackingFlags(const Session& session, uint32_t flags) {
  // The kernel gives offsets (O_APPEND), does page alignment (O_DIRECT) and tells each write that
  // must be durable (O_SYNC) itself.
  uint32_t kept = flags & (O_ACCMODE | O_NOATIME);
  // Written pages of the kernel's cache may have to be read back to be completed.
  if (session.writebackCache && (flags & O_ACCMODE) == O_WRONLY) {
    kept = (kept & ~static_cast<uint32_t>(O_ACCMODE)) | O_RDWR;
  }
  return static_cast<int>(kept) | O_CLOEXEC;
}

uint32_t OpenReplyFlags(const Session& session, uint32_t flags) {
  // Writers that do not read: straight through, side by side on one file. Others are worth a cache.
  if ((flags & O_ACCMODE) == O_WRONLY && session.directWrites) {
    return abi::kOpenDirectIo | abi::kOpenParallelDirectWrites;
  }
  return abi::kOpenKeepCache;
}

int OpenNode(Session& session, Node* node, int flags) {
  PathFd path = session.nodes.OpenPath(node);
  if (!path.Ok()) return -path.Error();
  int fd = open(ProcPath(path.Get()).Get(), flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

OpenFile* MakeOpenFile(Session& session, int fd, Node* node) {
  session.nodes.Ref(node);
  node->opens.fetch_add(1);
  return new OpenFile(fd, node);
}

static void DropOpen(Session& session, OpenFile* file) {
  file->node->opens.fetch_sub(1);
  session.CloseFile(file);
}

static void OpenAndTruncate(Session& session, Request& request, OpenFile* file,
                            const abi::OpenOut& reply) {
  RangeGuard guard(session.ranges, file->node, 0, kWholeFile);
  bool kill = false;
  bool killWanted = (request.Arg<abi::OpenIn>().openFlags & abi::kOpenKillSuidgid) != 0;
  int errnum = TruncateFile(session, request, file, 0, killWanted, &kill);
  if (errnum != 0) {
    guard.Release();
    request.Error(errnum);
    return DropOpen(session, file);
  }
  Node* node = file->node;
  Change change{request, Wait::data, &reply, sizeof(reply), &guard, file};
  session.Publish(change, {{node, kMarkData, true}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kTruncate;
    record.flags = kill ? kFlagKillPriv : 0;
    record.token = token;
    record.ref = Number(node->id);
    session.stream.Emit(record);
  });
}

void HandleOpen(Session& session, Request& request) {
  const auto& in = request.Arg<abi::OpenIn>();
  // As on any read-only filesystem: better now than at the first write.
  if ((in.flags & O_ACCMODE) != O_RDONLY && session.IsReadOnly()) return request.Error(EROFS);
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  int fd = OpenNode(session, node.Get(), BackingFlags(session, in.flags));
  if (fd < 0) return request.Error(-fd);
  OpenFile* file = MakeOpenFile(session, fd, node.Get());
  abi::OpenOut out = {};
  out.fh = reinterpret_cast<uint64_t>(file);
  out.openFlags = OpenReplyFlags(session, in.flags);
  if ((in.flags & O_TRUNC) != 0) return OpenAndTruncate(session, request, file, out);
  request.Reply(&out, sizeof(out));
}

void HandleRead(Session&, Request& request) {
  const auto& in = request.Arg<abi::ReadIn>();
  uint8_t* out = request.worker.Scratch();
  size_t want = std::min<size_t>(in.size, kScratchBytes);
  size_t done = 0;
  while (done < want) {
    ssize_t got = pread(FileOf(in.fh)->fd, out + done, want - done,
                        static_cast<off_t>(in.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && done == 0) return request.Error(errno);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  request.Reply(out, done);
}

void HandleLseek(Session&, Request& request) {
  // Only SEEK_DATA and SEEK_HOLE arrive; the shared offset of the backing file is never used.
  const auto& in = request.Arg<abi::LseekIn>();
  off_t found =
      lseek(FileOf(in.fh)->fd, static_cast<off_t>(in.offset), static_cast<int>(in.whence));
  if (found < 0) return request.Error(errno);
  abi::LseekOut out = {static_cast<uint64_t>(found)};
  request.Reply(&out, sizeof(out));
}

void HandleRelease(Session& session, Request& request) {
  OpenFile* file = FileOf(request.Arg<abi::ReleaseIn>().fh);
  request.Ok();
  DropOpen(session, file);
}

}  // namespace twinfs
