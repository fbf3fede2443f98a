// The handlers of the kernel's requests, by group: ops_lookup.cc (names to inodes, attributes), ops_dir.cc
// (reading directories), ops_file.cc (open, read), ops_data.cc (content), ops_attr.cc (owner, mode, times),
// ops_make.cc and ops_name.cc (the namespace), ops_xattr.cc, ops_sync.cc.
#pragma once
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "session.h"

namespace twinfs {

using Handler = void (*)(Session&, Request&);
// Null: ENOSYS, which tells the kernel to do it itself or never to ask again.
Handler handlerOf(uint32_t opcode);
// Whether the request passes the gate.
bool isChange(const Request& request);

void handleLookup(Session&, Request&);
void handleForget(Session&, Request&);
void handleBatchForget(Session&, Request&);
void handleGetattr(Session&, Request&);
void handleStatx(Session&, Request&);
void handleReadlink(Session&, Request&);
void handleStatfs(Session&, Request&);
void handleOpendir(Session&, Request&);
void handleReaddir(Session&, Request&);
void handleReaddirplus(Session&, Request&);
void handleReleasedir(Session&, Request&);
void handleOpen(Session&, Request&);
void handleRead(Session&, Request&);
void handleRelease(Session&, Request&);
void handleLseek(Session&, Request&);
void handleWrite(Session&, Request&);
void handleFallocate(Session&, Request&);
void handleCopyFileRange(Session&, Request&);
void handleSetattr(Session&, Request&);
void handleCreate(Session&, Request&);
void handleMknod(Session&, Request&);
void handleMkdir(Session&, Request&);
void handleSymlink(Session&, Request&);
void handleLink(Session&, Request&);
void handleUnlink(Session&, Request&);
void handleRmdir(Session&, Request&);
void handleRename(Session&, Request&);
void handleRename2(Session&, Request&);
void handleGetxattr(Session&, Request&);
void handleListxattr(Session&, Request&);
void handleSetxattr(Session&, Request&);
void handleRemovexattr(Session&, Request&);
void handleFsync(Session&, Request&);
void handleFsyncdir(Session&, Request&);

// ---- what several groups use ----

// "/proc/self/fd/N": a path for calls that take no O_PATH descriptor.
class ProcPath {
 public:
  explicit ProcPath(int fd);
  const char* get() const { return text_; }

 private:
  char text_[40];
};

// A namespace change in progress on a directory (Node::nameSeq), over at `end` or with the scope.
class NameChange {
 public:
  explicit NameChange(Node* directory) : directory_(directory) { directory_->nameSeq.fetch_add(1); }
  ~NameChange() { end(); }
  NameChange(const NameChange&) = delete;
  NameChange& operator=(const NameChange&) = delete;
  void end() {
    if (directory_ != nullptr) directory_->nameSeq.fetch_add(1);
    directory_ = nullptr;
  }

 private:
  Node* directory_;
};

// We are the only writer below the kernel's caches, so what it knows stays valid until it changes it itself.
constexpr uint64_t kValidSeconds = 10ull * 365 * 24 * 3600;

void fillAttr(const struct stat& st, abi::Attr* attr);
void fillEntry(const Session& session, const Node* node, const struct stat& st, abi::EntryOut* entry);
void fillAttrOut(const struct stat& st, abi::AttrOut* out);
// Finds a name; on success the entry carries one lookup the kernel will forget. Returns an errno.
int lookupName(Session& session, Node* parent, const char* name, abi::EntryOut* entry);
// A real descriptor of a node's file or directory, or a negative errno.
int openNode(Session& session, Node* node, int flags);
// The kernel's open flags as the backing file is opened with.
int backingFlags(const Session& session, uint32_t flags);
uint32_t openReplyFlags(const Session& session, uint32_t flags);
// ftruncate, clearing suid and sgid when the caller may not keep them; *killed says whether it had to.
int truncateFile(Session& session, Request& request, OpenFile* file, uint64_t size,
                 bool killWanted, bool* killed);
// A new open file for the kernel: it and its node are held until RELEASE.
OpenFile* makeOpenFile(Session& session, int fd, Node* node);
inline OpenFile* fileOf(uint64_t fh) { return reinterpret_cast<OpenFile*>(fh); }
inline double number(uint64_t value) { return static_cast<double>(value); }

// An open directory; `fh` is its address.
struct OpenDirectory {
  int fd;
  Node* node;
  std::mutex mutex;
  std::string entries;  // getdents64 output not yet given to the kernel, from `position` on
  size_t used = 0;
  uint64_t position = 0;  // d_off at which `entries` + used goes on
};
inline OpenDirectory* directoryOf(uint64_t fh) { return reinterpret_cast<OpenDirectory*>(fh); }

// Puts an fsync of `node` into the stream, performs it on `fd` here, and gives `reply` when both are done.
void syncAndReply(Session& session, Request& request, Node* node, int fd, bool dataOnly,
                  const void* reply, size_t replyBytes);

}  // namespace twinfs
