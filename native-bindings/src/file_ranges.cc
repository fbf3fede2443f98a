// Ranges of an open file.
#include "file_ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace twinfs::disk {
namespace {

constexpr int64_t kChunkBytes = 256 * 1024;

int WriteZeros(int fd, int64_t offset, int64_t length) {
  static const char zeros[64 * 1024] = {};
  while (length > 0) {
    const int64_t part = std::min<int64_t>(length, sizeof zeros);
    const int err = WriteFully(fd, {zeros, static_cast<size_t>(part)}, offset);
    if (err != 0) return err;
    offset += part;
    length -= part;
  }
  return 0;
}

int SizeOf(int fd, int64_t* size) {
  struct stat st;
  if (fstat(fd, &st) != 0) return errno;
  *size = st.st_size;
  return 0;
}

int ZeroInside(int fd, int64_t offset, int64_t length) {
  int64_t size = 0;
  if (const int err = SizeOf(fd, &size)) return err;
  return WriteZeros(fd, offset, std::min(length, size - offset));
}

int ExtendTo(int fd, int64_t end) {
  int64_t size = 0;
  if (const int err = SizeOf(fd, &size)) return err;
  if (size >= end) return 0;
  return ftruncate(fd, end) == 0 ? 0 : errno;
}

int CallFallocate(int fd, int mode, int64_t offset, int64_t length) {
  for (;;) {
    if (fallocate(fd, mode, offset, length) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

int CopyByHand(int from, int64_t fromOffset, int to, int64_t toOffset, int64_t length) {
  const auto buffer = std::make_unique<char[]>(kChunkBytes);
  while (length > 0) {
    const size_t part = static_cast<size_t>(std::min(length, kChunkBytes));
    const ssize_t got = pread(from, buffer.get(), part, fromOffset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return EIO;
    const int err = WriteFully(to, {buffer.get(), static_cast<size_t>(got)}, toOffset);
    if (err != 0) return err;
    fromOffset += got;
    toOffset += got;
    length -= got;
  }
  return 0;
}

}  // namespace

int WriteFully(int fd, std::string_view data, int64_t offset) {
  while (!data.empty()) {
    const ssize_t written = pwrite(fd, data.data(), data.size(), offset);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    data.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return 0;
}

int PunchHole(int fd, int64_t offset, int64_t length) {
  const int err = CallFallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  return err == EOPNOTSUPP ? ZeroInside(fd, offset, length) : err;
}

int Allocate(int fd, int mode, int64_t offset, int64_t length) {
  const int err = CallFallocate(fd, mode, offset, length);
  if (err != EOPNOTSUPP) return err;
  const bool keepSize = (mode & FALLOC_FL_KEEP_SIZE) != 0;
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
      return keepSize ? 0 : ExtendTo(fd, offset + length);
    case FALLOC_FL_PUNCH_HOLE:
      return ZeroInside(fd, offset, length);
    case FALLOC_FL_ZERO_RANGE:
      return keepSize ? ZeroInside(fd, offset, length) : WriteZeros(fd, offset, length);
    default:
      return err;
  }
}

int CopyRange(int from, int64_t fromOffset, int to, int64_t toOffset, int64_t length) {
  while (length > 0) {
    off64_t in = fromOffset;
    off64_t out = toOffset;
    const ssize_t copied =
        copy_file_range(from, &in, to, &out, static_cast<size_t>(length), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == ENOSYS)) {
      return CopyByHand(from, fromOffset, to, toOffset, length);
    }
    if (copied < 0) return errno;
    if (copied == 0) return EIO;
    fromOffset += copied;
    toOffset += copied;
    length -= copied;
  }
  return 0;
}

}  // namespace twinfs::disk
