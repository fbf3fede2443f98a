// Extended attributes of descriptors and directory entries. Entries are reached by the *xattrat(2)
// calls of Linux 6.13, which are five times faster than the way through /proc/self/fd that older
// kernels need (and that descriptors always need: the new calls refuse O_PATH ones).
#include "xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace twinfs::disk {
namespace {

// The same on every architecture that has them (asm-generic/unistd.h).
constexpr long kSetxattrat = 463;
constexpr long kGetxattrat = 464;
constexpr long kListxattrat = 465;
constexpr long kRemovexattrat = 466;

struct XattrArgs {
  uint64_t value __attribute__((aligned(8)));
  uint32_t size;
  uint32_t flags;
};

std::atomic<bool> kernelHasXattrAt{true};

bool UseXattrAt(XattrPlace place) {
  return place.name != nullptr && kernelHasXattrAt.load(std::memory_order_relaxed);
}

// Says (once) that the kernel lacks the calls, so that the caller takes the other way.
bool IsLacking(long result) {
  if (result >= 0 || errno != ENOSYS) return false;
  kernelHasXattrAt.store(false, std::memory_order_relaxed);
  return true;
}

struct ProcPath {
  char text[32 + NAME_MAX + 1];
  explicit ProcPath(XattrPlace place) {
    if (place.name == nullptr) {
      snprintf(text, sizeof text, "/proc/self/fd/%d", place.fd);
    } else {
      snprintf(text, sizeof text, "/proc/self/fd/%d/%s", place.fd, place.name);
    }
  }
};

long ListInto(XattrPlace place, char* buffer, size_t size) {
  if (UseXattrAt(place)) {
    const long got =
        syscall(kListxattrat, place.fd, place.name, AT_SYMLINK_NOFOLLOW, buffer, size);
    if (!IsLacking(got)) return got;
  }
  const ProcPath path(place);
  return place.name == nullptr ? listxattr(path.text, buffer, size)
                               : llistxattr(path.text, buffer, size);
}

long GetInto(XattrPlace place, const char* attribute, char* buffer, size_t size) {
  if (UseXattrAt(place)) {
    XattrArgs args = {reinterpret_cast<uint64_t>(buffer), static_cast<uint32_t>(size), 0};
    const long got = syscall(kGetxattrat, place.fd, place.name, AT_SYMLINK_NOFOLLOW, attribute,
                             &args, sizeof args);
    if (!IsLacking(got)) return got;
  }
  const ProcPath path(place);
  return place.name == nullptr ? getxattr(path.text, attribute, buffer, size)
                               : lgetxattr(path.text, attribute, buffer, size);
}

// Calls `read(buffer, size)` with a buffer that is large enough, even when it grows meanwhile.
template <typename Read>
int ReadGrowing(Read read, std::string* out) {
  char first[512];
  const long got = read(first, sizeof first);
  if (got >= 0) {
    out->assign(first, static_cast<size_t>(got));
    return 0;
  }
  while (errno == ERANGE) {
    const long needed = read(nullptr, 0);
    if (needed < 0) return errno;
    out->resize(static_cast<size_t>(needed) + 64);
    const long filled = read(out->data(), out->size());
    if (filled >= 0) {
      out->resize(static_cast<size_t>(filled));
      return 0;
    }
  }
  return errno;
}

}  // namespace

int ListXattrs(XattrPlace place, std::vector<std::string>* names) {
  names->clear();
  std::string list;
  const int err = ReadGrowing(
      [place](char* buffer, size_t size) { return ListInto(place, buffer, size); }, &list);
  if (err == ENOTSUP) return 0;
  if (err != 0) return err;
  for (size_t start = 0; start < list.size();) {
    const size_t end = list.find('\0', start);
    names->push_back(list.substr(start, end - start));
    if (end == std::string::npos) break;
    start = end + 1;
  }
  return 0;
}

int GetXattr(XattrPlace place, const char* attribute, std::string* value) {
  return ReadGrowing(
      [place, attribute](char* buffer, size_t size) {
        return GetInto(place, attribute, buffer, size);
      },
      value);
}

int SetXattr(XattrPlace place, const char* attribute, std::string_view value, int flags) {
  if (UseXattrAt(place)) {
    XattrArgs args = {reinterpret_cast<uint64_t>(value.data()),
                      static_cast<uint32_t>(value.size()), static_cast<uint32_t>(flags)};
    const long done = syscall(kSetxattrat, place.fd, place.name, AT_SYMLINK_NOFOLLOW, attribute,
                              &args, sizeof args);
    if (!IsLacking(done)) return done < 0 ? errno : 0;
  }
  const ProcPath path(place);
  const int done = place.name == nullptr
                       ? setxattr(path.text, attribute, value.data(), value.size(), flags)
                       : lsetxattr(path.text, attribute, value.data(), value.size(), flags);
  return done < 0 ? errno : 0;
}

int RemoveXattr(XattrPlace place, const char* attribute) {
  if (UseXattrAt(place)) {
    const long done =
        syscall(kRemovexattrat, place.fd, place.name, AT_SYMLINK_NOFOLLOW, attribute);
    if (!IsLacking(done)) return done < 0 ? errno : 0;
  }
  const ProcPath path(place);
  const int done = place.name == nullptr ? removexattr(path.text, attribute)
                                         : lremovexattr(path.text, attribute);
  return done < 0 ? errno : 0;
}

int ReadXattrs(XattrPlace place, std::vector<Xattr>* out) {
  out->clear();
  std::vector<std::string> names;
  if (const int err = ListXattrs(place, &names)) return err;
  std::sort(names.begin(), names.end());
  for (std::string& name : names) {
    std::string value;
    const int err = GetXattr(place, name.c_str(), &value);
    if (err == ENODATA) continue;
    if (err != 0) return err;
    out->push_back({std::move(name), std::move(value)});
  }
  return 0;
}

}  // namespace twinfs::disk
