// Paths and names below a root descriptor.
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace twinfs::disk {

int OpenAtBeneath(int dirFd, const char* path, int flags, mode_t mode, Fd* out) {
  struct open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve =
      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (;;) {
    const long fd = syscall(SYS_openat2, dirFd, path, &how, sizeof how);
    if (fd >= 0) {
      *out = Fd(static_cast<int>(fd));
      return 0;
    }
    if (errno != EINTR) return errno;
  }
}

bool IsEntryName(std::string_view name) {
  if (name.empty() || name.size() > NAME_MAX || name == "." || name == "..") return false;
  return name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

namespace {

// Every component must be an entry name; nothing is normalised.
int CheckPath(std::string_view path) {
  for (size_t start = 0;;) {
    const size_t slash = path.find('/', start);
    const std::string_view part = path.substr(start, slash - start);
    if (!IsEntryName(part)) return part.size() > NAME_MAX ? ENAMETOOLONG : EINVAL;
    if (slash == std::string_view::npos) return 0;
    start = slash + 1;
  }
}

// The longest prefix of whole components that one system call takes.
size_t ChunkEnd(std::string_view path, size_t start) {
  if (path.size() - start < PATH_MAX) return path.size();
  return path.rfind('/', start + PATH_MAX - 2);
}

}  // namespace

int FindPlace(int rootFd, std::string_view path, Place* out) {
  if (const int err = CheckPath(path)) return err;
  const size_t last = path.rfind('/');
  out->directory = rootFd;
  if (last == std::string_view::npos) {
    out->name = path;
    return 0;
  }
  out->name = path.substr(last + 1);
  const std::string_view parents = path.substr(0, last);
  for (size_t start = 0; start < parents.size();) {
    const size_t end = ChunkEnd(parents, start);
    const std::string chunk(parents.substr(start, end - start));
    Fd next;
    const int err = OpenAtBeneath(out->directory, chunk.c_str(), O_PATH | O_DIRECTORY, 0, &next);
    if (err != 0) return err;
    out->opened = std::move(next);
    out->directory = out->opened.Get();
    start = end + 1;
  }
  return 0;
}

int OpenBeneath(int rootFd, std::string_view path, int flags, mode_t mode, Fd* out) {
  if (path.empty()) return OpenAtBeneath(rootFd, ".", flags, mode, out);
  Place place;
  if (const int err = FindPlace(rootFd, path, &place)) return err;
  return OpenAtBeneath(place.directory, place.name.c_str(), flags | O_NOFOLLOW, mode, out);
}

}  // namespace twinfs::disk
