// Owner, mode, times and xattrs of an inode.
#include "file_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace twinfs::disk {
namespace {

constexpr mode_t kModeBits = 07777;

// fchmod refuses O_PATH descriptors.
int ChangeMode(int fd, mode_t mode) {
  if (fchmod(fd, mode) == 0) return 0;
  if (errno != EBADF) return errno;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return chmod(path, mode) == 0 ? 0 : errno;
}

bool HasName(const std::vector<Xattr>& xattrs, const std::string& name) {
  return std::any_of(xattrs.begin(), xattrs.end(),
                     [&name](const Xattr& xattr) { return xattr.name == name; });
}

}  // namespace

struct timespec TimespecOf(int64_t nanoseconds) {
  int64_t seconds = nanoseconds / kNanosecondsPerSecond;
  int64_t rest = nanoseconds % kNanosecondsPerSecond;
  if (rest < 0) {
    rest += kNanosecondsPerSecond;
    seconds--;
  }
  return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

int64_t NanosecondsOf(const struct timespec& time) {
  constexpr int64_t kSecondsMax = INT64_MAX / kNanosecondsPerSecond - 1;
  if (time.tv_sec > kSecondsMax) return INT64_MAX;
  if (time.tv_sec < -kSecondsMax) return INT64_MIN;
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

int SetOwnerAndMode(int fd, bool isSymlink, mode_t mode, uid_t uid, gid_t gid, bool* changed) {
  struct stat st;
  *changed = false;
  if (fstat(fd, &st) != 0) return errno;
  if (st.st_uid != uid || st.st_gid != gid) {
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return errno;
    *changed = true;
    if (fstat(fd, &st) != 0) return errno;
  }
  if (isSymlink || (st.st_mode & kModeBits) == (mode & kModeBits)) return 0;
  *changed = true;
  return ChangeMode(fd, mode & kModeBits);
}

int SetTimes(int fd, int64_t mtimeNs, const int64_t* atimeNs) {
  struct timespec times[2] = {{0, UTIME_OMIT}, TimespecOf(mtimeNs)};
  if (atimeNs != nullptr) times[0] = TimespecOf(*atimeNs);
  return utimensat(fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

int SetExactXattrs(int fd, const std::vector<Xattr>& wanted, bool isRoot) {
  const XattrPlace place = {fd, nullptr};
  std::vector<Xattr> present;
  if (const int err = ReadXattrs(place, &present)) return err;
  const auto isMark = [isRoot](const Xattr& xattr) {
    return isRoot && xattr.name == kRootMarkXattr;
  };
  for (const Xattr& xattr : present) {
    if (isMark(xattr) || HasName(wanted, xattr.name)) continue;
    const int err = RemoveXattr(place, xattr.name.c_str());
    if (err != 0 && err != ENODATA) return err;
  }
  for (const Xattr& xattr : wanted) {
    const auto same = [&xattr](const Xattr& it) {
      return it.name == xattr.name && it.value == xattr.value;
    };
    if (isMark(xattr) || std::any_of(present.begin(), present.end(), same)) continue;
    if (const int err = SetXattr(place, xattr.name.c_str(), xattr.value, 0)) return err;
  }
  return 0;
}

}  // namespace twinfs::disk
