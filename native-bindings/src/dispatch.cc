// opcode → handler, and which requests are changes.
#include <fcntl.h>

#include "handlers.h"

namespace twinfs {

static void HandleUnsupported(Session&, Request& request) { request.Error(EOPNOTSUPP); }
static void HandleIoctl(Session&, Request& request) { request.Error(ENOTTY); }
static void HandleDestroy(Session&, Request& request) { request.Ok(); }

Handler HandlerOf(uint32_t opcode) {
  switch (opcode) {
    case abi::LOOKUP: return HandleLookup;
    case abi::FORGET: return HandleForget;
    case abi::BATCH_FORGET: return HandleBatchForget;
    case abi::GETATTR: return HandleGetattr;
    case abi::STATX: return HandleStatx;
    case abi::READLINK: return HandleReadlink;
    case abi::STATFS: return HandleStatfs;
    case abi::OPENDIR: return HandleOpendir;
    case abi::READDIR: return HandleReaddir;
    case abi::READDIRPLUS: return HandleReaddirplus;
    case abi::RELEASEDIR: return HandleReleasedir;
    case abi::OPEN: return HandleOpen;
    case abi::READ: return HandleRead;
    case abi::RELEASE: return HandleRelease;
    case abi::LSEEK: return HandleLseek;
    case abi::WRITE: return HandleWrite;
    case abi::FALLOCATE: return HandleFallocate;
    case abi::COPY_FILE_RANGE: return HandleCopyFileRange;
    case abi::SETATTR: return HandleSetattr;
    case abi::CREATE: return HandleCreate;
    case abi::MKNOD: return HandleMknod;
    case abi::MKDIR: return HandleMkdir;
    case abi::SYMLINK: return HandleSymlink;
    case abi::LINK: return HandleLink;
    case abi::UNLINK: return HandleUnlink;
    case abi::RMDIR: return HandleRmdir;
    case abi::RENAME: return HandleRename;
    case abi::RENAME2: return HandleRename2;
    case abi::GETXATTR: return HandleGetxattr;
    case abi::LISTXATTR: return HandleListxattr;
    case abi::SETXATTR: return HandleSetxattr;
    case abi::REMOVEXATTR: return HandleRemovexattr;
    case abi::FSYNC: return HandleFsync;
    case abi::FSYNCDIR: return HandleFsyncdir;
    case abi::TMPFILE: return HandleUnsupported;
    case abi::IOCTL: return HandleIoctl;
    case abi::DESTROY: return HandleDestroy;
    // INTERRUPT (nothing under way can be undone), FLUSH, ACCESS, POLL, locks, BMAP …: the kernel
    // stops asking and does them itself. Its own close(2) still writes dirty pages back without
    // FLUSH.
    default: return nullptr;
  }
}

bool IsChange(const Request& request) {
  switch (request.head.opcode) {
    case abi::WRITE:
    case abi::SETATTR:
    case abi::SYMLINK:
    case abi::MKNOD:
    case abi::MKDIR:
    case abi::UNLINK:
    case abi::RMDIR:
    case abi::RENAME:
    case abi::RENAME2:
    case abi::LINK:
    case abi::FSYNC:
    case abi::FSYNCDIR:
    case abi::SETXATTR:
    case abi::REMOVEXATTR:
    case abi::CREATE:
    case abi::FALLOCATE:
    case abi::COPY_FILE_RANGE: return true;
    case abi::OPEN: return (request.Arg<abi::OpenIn>().flags & O_TRUNC) != 0;
    default: return false;
  }
}

}  // namespace twinfs
