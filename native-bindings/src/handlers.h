// The handlers of the kernel's requests, by group: ops_lookup.cc (names to inodes, attributes),
// ops_dir.cc (reading directories), ops_file.cc (open, read), ops_data.cc (content), ops_attr.cc
// (owner, mode, times), ops_make.cc and ops_name.cc (the namespace), ops_xattr.cc, ops_sync.cc.
#pragma once
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "session.h"

namespace twinfs {

using Handler = void (*)(Session&, Request&);
// Null: ENOSYS, which tells the kernel to do it itself or never to ask again.
Handler HandlerOf(uint32_t opcode);
// Whether the request passes the gate.
bool IsChange(const Request& request);

void HandleLookup(Session&, Request&);
void HandleForget(Session&, Request&);
void HandleBatchForget(Session&, Request&);
void HandleGetattr(Session&, Request&);
void HandleStatx(Session&, Request&);
void HandleReadlink(Session&, Request&);
void HandleStatfs(Session&, Request&);
void HandleOpendir(Session&, Request&);
void HandleReaddir(Session&, Request&);
void HandleReaddirplus(Session&, Request&);
void HandleReleasedir(Session&, Request&);
void HandleOpen(Session&, Request&);
void HandleRead(Session&, Request&);
void HandleRelease(Session&, Request&);
void HandleLseek(Session&, Request&);
void HandleWrite(Session&, Request&);
void HandleFallocate(Session&, Request&);
void HandleCopyFileRange(Session&, Request&);
void HandleSetattr(Session&, Request&);
void HandleCreate(Session&, Request&);
void HandleMknod(Session&, Request&);
void HandleMkdir(Session&, Request&);
void HandleSymlink(Session&, Request&);
void HandleLink(Session&, Request&);
void HandleUnlink(Session&, Request&);
void HandleRmdir(Session&, Request&);
void HandleRename(Session&, Request&);
void HandleRename2(Session&, Request&);
void HandleGetxattr(Session&, Request&);
void HandleListxattr(Session&, Request&);
void HandleSetxattr(Session&, Request&);
void HandleRemovexattr(Session&, Request&);
void HandleFsync(Session&, Request&);
void HandleFsyncdir(Session&, Request&);

// ---- what several groups use ----

// "/proc/self/fd/N": a path for calls that take no O_PATH descriptor.
class ProcPath {
 public:
  explicit ProcPath(int fd);
  const char* Get() const { return text_; }

 private:
  char text_[40];
};

// A namespace change in progress on a directory (Node::nameSeq), over at `end` or with the scope.
class NameChange {
 public:
  explicit NameChange(Node* directory) : directory_(directory) { directory_->nameSeq.fetch_add(1); }
  ~NameChange() { End(); }
  NameChange(const NameChange&) = delete;
  NameChange& operator=(const NameChange&) = delete;
  void End() {
    if (directory_ != nullptr) directory_->nameSeq.fetch_add(1);
    directory_ = nullptr;
  }

 private:
  Node* directory_;
};

// We are the only writer below the kernel's caches, so what it knows stays valid until it changes
// it itself.
constexpr uint64_t kValidSeconds = 10ull * 365 * 24 * 3600;

void FillAttr(const struct stat& st, abi::Attr* attr);
void FillEntry(const Session& session, const Node* node, const struct stat& st,
               abi::EntryOut* entry);
void FillAttrOut(const struct stat& st, abi::AttrOut* out);
// Finds a name; on success the entry carries one lookup the kernel will forget. Returns an errno.
int LookupName(Session& session, Node* parent, const char* name, abi::EntryOut* entry);
// A real descriptor of a node's file or directory, or a negative errno.
int OpenNode(Session& session, Node* node, int flags);
// The kernel's open flags as the backing file is opened with.
int BackingFlags(const Session& session, uint32_t flags);
uint32_t OpenReplyFlags(const Session& session, uint32_t flags);
// ftruncate, clearing suid and sgid when the caller may not keep them; *killed says whether it had
// to.
int TruncateFile(Session& session, Request& request, OpenFile* file, uint64_t size,
                 bool killWanted, bool* killed);
// A new open file for the kernel: it and its node are held until RELEASE.
OpenFile* MakeOpenFile(Session& session, int fd, Node* node);
inline OpenFile* FileOf(uint64_t fh) { return reinterpret_cast<OpenFile*>(fh); }
inline double Number(uint64_t value) { return static_cast<double>(value); }

// An open directory; `fh` is its address.
struct OpenDirectory {
  int fd;
  Node* node;
  std::mutex mutex;
  std::string entries;  // getdents64 output not yet given to the kernel, from `position` on
  size_t used = 0;
  uint64_t position = 0;  // d_off at which `entries` + used goes on
};
inline OpenDirectory* DirectoryOf(uint64_t fh) { return reinterpret_cast<OpenDirectory*>(fh); }

// Puts an fsync of `node` into the stream, performs it on `fd` here, and gives `reply` when both
// are done.
void SyncAndReply(Session& session, Request& request, Node* node, int fd, bool dataOnly,
                  const void* reply, size_t replyBytes);

}  // namespace twinfs
