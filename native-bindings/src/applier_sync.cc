// Makes a gathered set durable.
#include "applier_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace twinfs::disk {
namespace {

// O_PATH descriptors cannot be synced; opening again reaches the same inode even when its name is
// gone.
int OpenForSync(const Unsynced& node, Fd* out) {
  if (node.type == NodeType::kDirectory) {
    *out = Fd(openat(node.fd->Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  } else {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", node.fd->Get());
    *out = Fd(open(path, O_RDONLY | O_CLOEXEC));
  }
  return out->IsOpen() ? 0 : errno;
}

int SyncFd(int fd, uint8_t bits) {
  const int result = bits == kDirtyData ? fdatasync(fd) : fsync(fd);
  return result == 0 ? 0 : errno;
}

}  // namespace

int SyncNode(const Unsynced& node) {
  const int err = SyncFd(node.fd->Get(), node.bits);
  if (err != EBADF) return err;
  Fd real;
  const int openErr = OpenForSync(node, &real);
  // A directory that was removed meanwhile has no names to keep.
  if (openErr == ENOENT && node.type == NodeType::kDirectory) return 0;
  return openErr != 0 ? openErr : SyncFd(real.Get(), node.bits);
}

int SyncSet(const CommitSet& set) {
  if (set.whole) return syncfs(set.root->Get()) == 0 ? 0 : errno;
  if (set.nodes.size() > 1) {
    for (const Unsynced& node : set.nodes) {
      if (node.fd == nullptr || (node.bits & kDirtyData) == 0) continue;
      sync_file_range(node.fd->Get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    }
  }
  int first = 0;
  for (const Unsynced& node : set.nodes) {
    if (node.fd == nullptr) continue;
    const int err = SyncNode(node);
    if (first == 0) first = err;
  }
  return first;
}

}  // namespace twinfs::disk
