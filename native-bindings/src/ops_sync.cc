// FSYNC and FSYNCDIR: the stream's fsync and the real local one, side by side.
#include <errno.h>
#include <unistd.h>

#include "handlers.h"

namespace twinfs {

void syncAndReply(Session& session, Request& request, Node* node, int fd, bool dataOnly,
                  const void* reply, size_t replyBytes) {
  Change change{request, Wait::sync, reply, replyBytes};
  Waiting waiting = session.submit(change, {{node, 0, false}}, [&](bool streaming, double token) {
    if (!streaming) return;
    Record record;
    record.kind = kFsync;
    record.flags = dataOnly ? kFlagDataOnly : 0;
    record.token = token;
    record.ref = number(node->id);
    session.stream.emit(record);
  });
  // What is left changes nothing, and may take long: a closed gate need not wait for it.
  request.worker.leaveGate();
  int errnum = (dataOnly ? fdatasync(fd) : fsync(fd)) == 0 ? 0 : errno;
  // EINVAL, EROFS: the object has nothing to sync. Anything else is a disk that failed us; a second fsync
  // would succeed without the data, so this one is the truth.
  if (errnum != 0 && errnum != EINVAL && errnum != EROFS) {
    session.notice(Notice::What::syncFailed, errnum);
    errnum = EIO;
  }
  if (waiting.token != 0) {
    session.pending.finish(waiting.token, kWaitLocal, errnum);
  } else if (errnum != 0) {
    request.error(errnum);
  } else {
    request.reply(reply, replyBytes);
  }
}

void handleFsync(Session& session, Request& request) {
  const auto& in = request.arg<abi::FsyncIn>();
  OpenFile* file = fileOf(in.fh);
  bool dataOnly = (in.flags & abi::kFsyncDataOnly) != 0;
  syncAndReply(session, request, file->node, file->fd, dataOnly, nullptr, 0);
}

void handleFsyncdir(Session& session, Request& request) {
  const auto& in = request.arg<abi::FsyncIn>();
  OpenDirectory* directory = directoryOf(in.fh);
  bool dataOnly = (in.flags & abi::kFsyncDataOnly) != 0;
  syncAndReply(session, request, directory->node, directory->fd, dataOnly, nullptr, 0);
}

}  // namespace twinfs
