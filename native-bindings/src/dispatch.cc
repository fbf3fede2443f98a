// opcode → handler, and which requests are changes.
#include <fcntl.h>

#include "handlers.h"

namespace twinfs {

static void handleUnsupported(Session&, Request& request) { request.error(EOPNOTSUPP); }
static void handleIoctl(Session&, Request& request) { request.error(ENOTTY); }
// The kernel expects no answer: FUSE has no way to undo what is under way.
static void handleNothing(Session&, Request&) {}
static void handleDestroy(Session&, Request& request) { request.ok(); }

Handler handlerOf(uint32_t opcode) {
  switch (opcode) {
    case abi::LOOKUP: return handleLookup;
    case abi::FORGET: return handleForget;
    case abi::BATCH_FORGET: return handleBatchForget;
    case abi::GETATTR: return handleGetattr;
    case abi::STATX: return handleStatx;
    case abi::READLINK: return handleReadlink;
    case abi::STATFS: return handleStatfs;
    case abi::OPENDIR: return handleOpendir;
    case abi::READDIR: return handleReaddir;
    case abi::READDIRPLUS: return handleReaddirplus;
    case abi::RELEASEDIR: return handleReleasedir;
    case abi::OPEN: return handleOpen;
    case abi::READ: return handleRead;
    case abi::RELEASE: return handleRelease;
    case abi::LSEEK: return handleLseek;
    case abi::WRITE: return handleWrite;
    case abi::FALLOCATE: return handleFallocate;
    case abi::COPY_FILE_RANGE: return handleCopyFileRange;
    case abi::SETATTR: return handleSetattr;
    case abi::CREATE: return handleCreate;
    case abi::MKNOD: return handleMknod;
    case abi::MKDIR: return handleMkdir;
    case abi::SYMLINK: return handleSymlink;
    case abi::LINK: return handleLink;
    case abi::UNLINK: return handleUnlink;
    case abi::RMDIR: return handleRmdir;
    case abi::RENAME: return handleRename;
    case abi::RENAME2: return handleRename2;
    case abi::GETXATTR: return handleGetxattr;
    case abi::LISTXATTR: return handleListxattr;
    case abi::SETXATTR: return handleSetxattr;
    case abi::REMOVEXATTR: return handleRemovexattr;
    case abi::FSYNC: return handleFsync;
    case abi::FSYNCDIR: return handleFsyncdir;
    case abi::TMPFILE: return handleUnsupported;
    case abi::IOCTL: return handleIoctl;
    case abi::INTERRUPT: return handleNothing;
    case abi::DESTROY: return handleDestroy;
    // FLUSH, ACCESS, POLL, locks, BMAP …: the kernel stops asking and does them itself. Its own close(2)
    // still writes dirty pages back when FLUSH is refused.
    default: return nullptr;
  }
}

bool isChange(const Request& request) {
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
    case abi::OPEN: return (request.arg<abi::OpenIn>().flags & O_TRUNC) != 0;
    default: return false;
  }
}

}  // namespace twinfs
