// Owner, mode, times and xattrs of an inode through a descriptor that may be O_PATH, symlinks
// included. Functions return 0 or a positive errno.
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <vector>

#include "xattrs.h"

namespace twinfs::disk {

inline constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// Times are nanoseconds since the epoch, negative before it.
struct timespec TimespecOf(int64_t nanoseconds);
// Saturates beyond the years 1677 to 2262.
int64_t NanosecondsOf(const struct timespec& time);

// Makes owner and mode exactly these (symlinks: the owner), changing only what differs: a chown,
// even to the same owner, would drop suid bits and file capabilities. Owner first, since that
// clears bits of the mode.
int SetOwnerAndMode(int fd, bool isSymlink, mode_t mode, uid_t uid, gid_t gid, bool* changed);

// `atimeNs` null leaves it alone.
int SetTimes(int fd, int64_t mtimeNs, const int64_t* atimeNs);

// Makes the xattrs exactly these. On the root of the tree the twinfs mark is neither wanted nor
// removed.
int SetExactXattrs(int fd, const std::vector<Xattr>& wanted, bool isRoot);

}  // namespace twinfs::disk
