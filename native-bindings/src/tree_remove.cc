// Removing a tree of any depth: one directory is open at a time, the way up goes through "..", and
// every directory reached that way must be the one we came from.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "beneath.h"
#include "tree_change.h"

namespace twinfs::disk {
namespace {

struct Level {
  std::string name;  // of this directory in the one above
  dev_t device = 0;
  ino_t inode = 0;
  std::vector<std::string> directories;  // still to be removed in this one
};

struct Found {
  std::string name;
  unsigned char type;
};

int List(int fd, std::vector<Found>* out) {
  const int streamFd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (streamFd < 0) return errno;
  DIR* stream = fdopendir(streamFd);
  if (stream == nullptr) {
    const int err = errno;
    close(streamFd);
    return err;
  }
  errno = 0;
  while (const struct dirent* found = readdir(stream)) {
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
    out->push_back({found->d_name, found->d_type});
    errno = 0;
  }
  const int err = errno;
  closedir(stream);
  return err;
}

bool IsDirectory(int directoryFd, const char* name) {
  struct stat st;
  return fstatat(directoryFd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

// Removes a name that is not a directory; `*isDirectory` says that it is one, and nothing was done.
int RemoveName(int directoryFd, const char* name, bool* isDirectory) {
  *isDirectory = false;
  if (unlinkat(directoryFd, name, 0) == 0 || errno == ENOENT) return 0;
  const int err = errno;
  *isDirectory = (err == EISDIR || err == EPERM) && IsDirectory(directoryFd, name);
  return *isDirectory ? 0 : err;
}

class Remover {
 public:
  explicit Remover(int topFd) : topFd_(topFd) {}

  int Run(const std::string& name) {
    if (const int err = Enter(topFd_, name)) return err;
    while (!levels_.empty()) {
      Level& level = levels_.back();
      int err;
      if (level.directories.empty()) {
        err = Leave();
      } else {
        const std::string next = std::move(level.directories.back());
        level.directories.pop_back();
        err = Enter(current_.Get(), next);
      }
      if (err != 0) return err;
    }
    return 0;
  }

 private:
  // Opens a directory and removes from it all that is not a directory.
  int Enter(int aboveFd, const std::string& name) {
    Fd fd;
    const int err = OpenAtBeneath(aboveFd, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, &fd);
    if (err == ENOENT) return 0;
    if (err != 0) return err;
    struct stat st;
    if (fstat(fd.Get(), &st) != 0) return errno;
    Level level;
    level.name = name;
    level.device = st.st_dev;
    level.inode = st.st_ino;
    std::vector<Found> all;
    if (const int listErr = List(fd.Get(), &all)) return listErr;
    for (Found& found : all) {
      bool isDirectory = found.type == DT_DIR;
      if (!isDirectory) {
        if (const int removeErr = RemoveName(fd.Get(), found.name.c_str(), &isDirectory)) {
          return removeErr;
        }
      }
      if (isDirectory) level.directories.push_back(std::move(found.name));
    }
    levels_.push_back(std::move(level));
    current_ = std::move(fd);
    return 0;
  }

  // Removes the current directory from the one above, which becomes the current one.
  int Leave() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    if (levels_.empty()) return RemoveEmpty(topFd_, name);
    Fd above(openat(current_.Get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!above.IsOpen()) return errno;
    struct stat st;
    if (fstat(above.Get(), &st) != 0) return errno;
    if (st.st_dev != levels_.back().device || st.st_ino != levels_.back().inode) return ESTALE;
    current_ = std::move(above);
    return RemoveEmpty(current_.Get(), name);
  }

  static int RemoveEmpty(int directoryFd, const std::string& name) {
    const int removed = unlinkat(directoryFd, name.c_str(), AT_REMOVEDIR);
    return removed == 0 || errno == ENOENT ? 0 : errno;
  }

  int topFd_;
  Fd current_;
  std::vector<Level> levels_;
};

}  // namespace

int RemoveBeneath(int rootFd, std::string_view path) {
  if (path.empty()) return EINVAL;
  Place place;
  const int err = FindPlace(rootFd, path, &place);
  if (err == ENOENT) return 0;
  if (err != 0) return err;
  bool isDirectory;
  const int removeErr = RemoveName(place.directory, place.name.c_str(), &isDirectory);
  if (removeErr != 0 || !isDirectory) return removeErr;
  return Remover(place.directory).Run(place.name);
}

}  // namespace twinfs::disk
