// Reading directories. Offsets are the backing filesystem's own d_off, so that telldir and seekdir
// hold.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "check.h"
#include "handlers.h"

namespace twinfs {

namespace {

constexpr size_t kEntriesBytes = 32 * 1024;

struct LinuxDirent {
  uint64_t ino;
  int64_t off;
  uint16_t recordBytes;
  uint8_t type;
  char name[];
};

size_t Align8(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

// The entry at the directory's position, or null at the end; *errnum is 0 or why not.
const LinuxDirent* Peek(OpenDirectory& directory, int* errnum) {
  *errnum = 0;
  if (directory.used >= directory.entries.size()) {
    directory.entries.resize(kEntriesBytes);
    long got = syscall(SYS_getdents64, directory.fd, directory.entries.data(), kEntriesBytes);
    directory.entries.resize(got > 0 ? static_cast<size_t>(got) : 0);
    directory.used = 0;
    if (got < 0) *errnum = errno;
    if (got <= 0) return nullptr;
  }
  return reinterpret_cast<const LinuxDirent*>(directory.entries.data() + directory.used);
}

void Seek(OpenDirectory& directory, uint64_t offset) {
  // Offset 0 always reads anew: rewinddir must show what changed meanwhile.
  if (offset != 0 && offset == directory.position) return;
  lseek(directory.fd, static_cast<off_t>(offset), SEEK_SET);
  directory.entries.clear();
  directory.used = 0;
  directory.position = offset;
}

bool IsDots(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

// Fills in the lookup of one entry; without one (nodeid 0) the kernel looks it up itself when it
// needs it.
void LookupEntry(Session& session, OpenDirectory& directory, const char* name,
                 abi::EntryOut* entry) {
  if (IsDots(name) || LookupName(session, directory.node, name, entry) != 0) *entry = {};
}

void ReadEntries(Session& session, Request& request, bool plus) {
  const auto& in = request.Arg<abi::ReadIn>();
  OpenDirectory& directory = *DirectoryOf(in.fh);
  std::unique_lock lock(directory.mutex);
  Seek(directory, in.offset);
  uint8_t* out = request.worker.Scratch();
  size_t limit = std::min<size_t>(in.size, kScratchBytes);
  size_t used = 0;
  size_t prefix = plus ? sizeof(abi::EntryOut) : 0;
  int errnum;
  while (const LinuxDirent* from = Peek(directory, &errnum)) {
    size_t nameBytes = std::strlen(from->name);
    size_t size = Align8(prefix + sizeof(abi::Dirent) + nameBytes);
    if (used + size > limit) break;
    uint8_t* to = out + used;
    std::memset(to + size - 8, 0, 8);
    if (plus) LookupEntry(session, directory, from->name, reinterpret_cast<abi::EntryOut*>(to));
    auto* dirent = reinterpret_cast<abi::Dirent*>(to + prefix);
    dirent->ino = from->ino;
    dirent->off = static_cast<uint64_t>(from->off);
    dirent->nameBytes = static_cast<uint32_t>(nameBytes);
    dirent->type = from->type;
    std::memcpy(to + prefix + sizeof(abi::Dirent), from->name, nameBytes);
    used += size;
    directory.used += from->recordBytes;
    directory.position = static_cast<uint64_t>(from->off);
  }
  // Before the answer: with it the kernel may release the directory.
  lock.unlock();
  if (used == 0 && errnum != 0) return request.Error(errnum);
  request.Reply(out, used);
}

}  // namespace

void HandleOpendir(Session& session, Request& request) {
  NodeHold node(session, session.nodes.Find(request.head.nodeid));
  if (!node) return request.Error(ESTALE);
  PathFd path = session.nodes.OpenPath(node.Get());
  if (!path.Ok()) return request.Error(path.Error());
  int fd = openat(path.Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return request.Error(errno);
  auto* directory = new OpenDirectory();
  directory->fd = fd;
  directory->node = node.Get();
  session.nodes.Ref(node.Get());
  abi::OpenOut out = {};
  out.fh = reinterpret_cast<uint64_t>(directory);
  request.Reply(&out, sizeof(out));
}

void HandleReaddir(Session& session, Request& request) { ReadEntries(session, request, false); }
void HandleReaddirplus(Session& session, Request& request) { ReadEntries(session, request, true); }

void HandleReleasedir(Session& session, Request& request) {
  OpenDirectory* directory = DirectoryOf(request.Arg<abi::ReleaseIn>().fh);
  request.Ok();
  // A reader that still holds it would unlock memory given back.
  Check(directory->mutex.try_lock(), "nobody reads a directory that is released");
  directory->mutex.unlock();
  close(directory->fd);
  session.Unref(directory->node);
  delete directory;
}

}  // namespace twinfs
