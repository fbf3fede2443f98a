// FSYNC and FSYNCDIR: the stream's fsync and the real local one, side by side.
#include <errno.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

// fsync of DIR itself is the barrier for the whole mount: the kernel sends no syncfs to one like
// ours.
static int SyncLocally(Session& session, Node* node, int fd, bool dataOnly) {
  if (node->id == abi::kRootId) return syncfs(fd) == 0 ? 0 : errno;
  // Where writes wait for the disk anyway, their application's fdatasync finds nothing left to do.
  if (dataOnly && !node->IsDirectory() && node->IsSynced()) return 0;
  return session.SyncFile(node, fd, dataOnly);
}

void SyncAndReply(Session& session, Request& request, Node* node, int fd, bool dataOnly,
                  const void* reply, size_t replyBytes) {
  Change change{request, Wait::sync, reply, replyBytes};
  Waiting waiting = session.Submit(change, {{node, 0, false}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kFsync;
    record.flags = dataOnly ? kFlagDataOnly : 0;
    record.token = token;
    record.ref = Number(node->id);
    session.stream.Emit(record);
  });
  // What is left changes nothing, and may take long: a closed gate need not wait for it.
  request.worker.LeaveGate();
  int errnum = SyncLocally(session, node, fd, dataOnly);
  // EINVAL, EROFS: the object has nothing to sync. Anything else is a disk that failed us; a second
  // fsync would succeed without the data, so this one is the truth.
  if (errnum != 0 && errnum != EINVAL && errnum != EROFS) {
    session.Report(Notice::What::syncFailed, errnum);
    errnum = EIO;
  }
  if (waiting.token != 0) {
    session.pending.Finish(waiting.token, kWaitLocal, errnum);
  } else if (errnum != 0) {
    request.Error(errnum);
  } else {
    request.Reply(reply, replyBytes);
  }
}

void HandleFsync(Session& session, Request& request) {
  const auto& in = request.Arg<abi::FsyncIn>();
  OpenFile* file = FileOf(in.fh);
  bool dataOnly = (in.flags & abi::kFsyncDataOnly) != 0;
  SyncAndReply(session, request, file->node, file->fd, dataOnly, nullptr, 0);
}

void HandleFsyncdir(Session& session, Request& request) {
  const auto& in = request.Arg<abi::FsyncIn>();
  OpenDirectory* directory = DirectoryOf(in.fh);
  bool dataOnly = (in.flags & abi::kFsyncDataOnly) != 0;
  SyncAndReply(session, request, directory->node, directory->fd, dataOnly, nullptr, 0);
}

}  // namespace twinfs
