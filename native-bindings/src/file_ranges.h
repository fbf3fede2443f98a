// Ranges of an open file: written in full, zeroed, copied, with the detours that some filesystems
// need. Functions return 0 or a positive errno.
#pragma once
#include <stdint.h>

#include <string_view>

namespace twinfs::disk {

int WriteFully(int fd, std::string_view data, int64_t offset);

// Zeros without changing the file's size: what lies beyond its end is left alone.
int PunchHole(int fd, int64_t offset, int64_t length);

// fallocate(2); where the filesystem lacks a mode, the same content and size by other means
// (nothing is reserved then).
int Allocate(int fd, int mode, int64_t offset, int64_t length);

// Copies exactly `length` bytes; EIO when the source is shorter.
int CopyRange(int from, int64_t fromOffset, int to, int64_t toOffset, int64_t length);

}  // namespace twinfs::disk
