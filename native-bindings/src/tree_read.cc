// Reading the tree below a root.
#include "tree_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "beneath.h"
#include "file_meta.h"

namespace twinfs::disk {
namespace {

int ReadTarget(int directoryFd, TreeEntry* entry) {
  char buffer[PATH_MAX];
  const ssize_t got = readlinkat(directoryFd, entry->name.c_str(), buffer, sizeof buffer);
  // EINVAL: it is no symlink any more; what was listed is gone.
  if (got < 0) return errno == EINVAL ? ENOENT : errno;
  entry->target.assign(buffer, static_cast<size_t>(got));
  return 0;
}

// `entry->name` is set already.
int FillEntry(int directoryFd, TreeEntry* entry) {
  const char* name = entry->name.c_str();
  if (fstatat(directoryFd, name, &entry->st, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (S_ISLNK(entry->st.st_mode)) {
    if (const int err = ReadTarget(directoryFd, entry)) return err;
  }
  return ReadXattrs({directoryFd, name}, &entry->xattrs);
}

int ReadNames(int fd, std::vector<TreeEntry>* out) {
  DIR* stream = fdopendir(fd);
  if (stream == nullptr) {
    const int err = errno;
    close(fd);
    return err;
  }
  errno = 0;
  while (const struct dirent* found = readdir(stream)) {
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
    TreeEntry& entry = out->emplace_back();
    entry.name = found->d_name;
    entry.st.st_ino = found->d_ino;
    errno = 0;
  }
  const int err = errno;
  closedir(stream);
  return err;
}

void AppendBytes(std::string* out, const void* data, size_t size) {
  out->append(static_cast<const char*>(data), size);
}

template <typename Number>
void Append(std::string* out, Number number) {
  AppendBytes(out, &number, sizeof number);
}

void PackEntry(const TreeEntry& entry, std::string* out) {
  const size_t start = out->size();
  Append<uint32_t>(out, 0);
  Append<uint32_t>(out, entry.st.st_mode);
  Append<uint32_t>(out, entry.st.st_uid);
  Append<uint32_t>(out, entry.st.st_gid);
  Append<double>(out, static_cast<double>(entry.st.st_size));
  Append<double>(out, static_cast<double>(entry.st.st_blocks));
  Append<int64_t>(out, NanosecondsOf(entry.st.st_mtim));
  Append<uint64_t>(out, entry.st.st_ino);
  Append<double>(out, static_cast<double>(entry.st.st_rdev));
  Append<double>(out, static_cast<double>(entry.st.st_nlink));
  Append<uint16_t>(out, static_cast<uint16_t>(entry.name.size()));
  Append<uint16_t>(out, static_cast<uint16_t>(entry.xattrs.size()));
  Append<uint32_t>(out, static_cast<uint32_t>(entry.target.size()));
  out->append(entry.name);
  out->append(entry.target);
  for (const Xattr& xattr : entry.xattrs) {
    Append<uint32_t>(out, static_cast<uint32_t>(xattr.name.size()));
    Append<uint32_t>(out, static_cast<uint32_t>(xattr.value.size()));
    out->append(xattr.name);
    out->append(xattr.value);
  }
  out->resize((out->size() + 7) & ~size_t{7});
  const uint32_t size = static_cast<uint32_t>(out->size() - start);
  memcpy(out->data() + start, &size, sizeof size);
}

}  // namespace

int ReadDirectory(int rootFd, std::string_view path, std::vector<TreeEntry>* out) {
  out->clear();
  Fd directory;
  if (const int err = OpenBeneath(rootFd, path, O_RDONLY | O_DIRECTORY, 0, &directory)) return err;
  const int streamFd = fcntl(directory.Get(), F_DUPFD_CLOEXEC, 0);
  if (streamFd < 0) return errno;
  if (const int err = ReadNames(streamFd, out)) return err;
  // In the order of the inodes the disk's inode tables are read front to back.
  std::sort(out->begin(), out->end(), [](const TreeEntry& a, const TreeEntry& b) {
    return a.st.st_ino < b.st.st_ino;
  });
  size_t kept = 0;
  for (size_t index = 0; index < out->size(); index++) {
    TreeEntry& entry = (*out)[index];
    const int err = FillEntry(directory.Get(), &entry);
    if (err == ENOENT) continue;
    if (err != 0) return err;
    if (kept != index) (*out)[kept] = std::move(entry);
    kept++;
  }
  out->resize(kept);
  // char may be signed; std::string compares as unsigned bytes.
  std::sort(out->begin(), out->end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
  return 0;
}

int ReadEntry(int rootFd, std::string_view path, TreeEntry* out) {
  if (!path.empty()) {
    Place place;
    if (const int err = FindPlace(rootFd, path, &place)) return err;
    out->name = place.name;
    return FillEntry(place.directory, out);
  }
  out->name.clear();
  if (fstat(rootFd, &out->st) != 0) return errno;
  if (const int err = ReadXattrs({rootFd, nullptr}, &out->xattrs)) return err;
  std::erase_if(out->xattrs, [](const Xattr& it) { return it.name == kRootMarkXattr; });
  return 0;
}

std::string PackEntries(const std::vector<TreeEntry>& entries) {
  std::string out;
  out.reserve(entries.size() * 112);
  for (const TreeEntry& entry : entries) PackEntry(entry, &out);
  return out;
}

}  // namespace twinfs::disk
