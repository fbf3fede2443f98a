// Refs to inodes: binding, finding, opening, and what is unsynced.
#include "applier_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "beneath.h"

namespace twinfs::disk {
namespace {

constexpr uint32_t kCachedMax = 4096;
constexpr uint32_t kCachedMin = 64;
// Descriptors closed when the process has no more.
constexpr uint32_t kShrinkCount = 64;
// More unsynced nodes than this: one syncfs is cheaper than syncing each.
constexpr size_t kSyncEachMax = 64;

struct HandleBuffer {
  alignas(struct file_handle) unsigned char bytes[sizeof(struct file_handle) + kHandleBytesMax];
  struct file_handle* Get() { return reinterpret_cast<struct file_handle*>(bytes); }
};

NodeType TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return NodeType::kFile;
  if (S_ISDIR(mode)) return NodeType::kDirectory;
  return S_ISLNK(mode) ? NodeType::kSymlink : NodeType::kSpecial;
}

uint32_t DescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<uint32_t>(std::min<rlim_t>(limit.rlim_cur, 1u << 30));
}

bool IsOutOfDescriptors(int err) { return err == EMFILE || err == ENFILE; }

}  // namespace

int EntryName::Set(std::string_view name) {
  if (name.size() > NAME_MAX) return ENAMETOOLONG;
  if (!IsEntryName(name)) return EINVAL;
  memcpy(text_, name.data(), name.size());
  text_[name.size()] = '\0';
  return 0;
}

ApplierCore::ApplierCore(SharedFd root, uint32_t descriptorsMax)
    : root_(std::move(root)),
      pinsMax_(std::max(descriptorsMax / 4, kCachedMin)),
      cache_(refs_, std::clamp(descriptorsMax / 4, kCachedMin, kCachedMax)) {
  unsynced_.root = root_;
}

int ApplierCore::Open(int rootFd, std::unique_ptr<ApplierCore>* out) {
  // Opened for reading: open_by_handle_at and syncfs refuse O_PATH. "." stays on the caller's
  // mount, also when another one covers the directory by now.
  Fd root(openat(rootFd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.IsOpen()) return errno;
  std::unique_ptr<ApplierCore> core(
      new ApplierCore(std::make_shared<Fd>(std::move(root)), DescriptorLimit()));
  if (const int err = core->BindRoot()) return err;
  *out = std::move(core);
  return 0;
}

int ApplierCore::BindRoot() {
  struct stat st;
  if (fstat(root_->Get(), &st) != 0) return errno;
  Node probe;
  hasHandles_ = true;
  hasHandles_ = TakeHandle(root_->Get(), &probe);
  const uint32_t node = refs_.Add(kRootRef, InodeKey(st.st_dev, st.st_ino));
  refs_.At(node).type = NodeType::kDirectory;
  cache_.Keep(node, root_);
  return 0;
}

void ApplierCore::Reset() {
  std::vector<uint32_t> nodes;
  nodes.reserve(refs_.Size());
  refs_.ForEach([&](uint32_t node) { nodes.push_back(node); });
  for (const uint32_t node : nodes) {
    if (refs_.At(node).ref != kRootRef) Remove(node);
  }
}

int ApplierCore::Bind(uint64_t ref, uint64_t parent, std::string_view name) {
  if (ref == kRootRef) return EINVAL;
  EntryName entry;
  if (const int err = entry.Set(name)) return err;
  uint32_t directory;
  int directoryFd;
  if (const int err = DirectoryFd(parent, &directory, &directoryFd)) return err;
  SharedFd fd;
  if (const int err = OpenEntry(directoryFd, entry.Get(), &fd)) return err;
  struct stat st;
  if (fstat(fd->Get(), &st) != 0) return errno;
  uint32_t node;
  return Register(ref, fd, false, st, &node);
}

int ApplierCore::Forget(uint64_t ref) {
  const uint32_t node = refs_.Find(ref);
  if (node != kNone && ref != kRootRef) Remove(node);
  return 0;
}

void ApplierCore::Remove(uint32_t node) {
  if ((refs_.At(node).flags & Node::kNameless) != 0) DropUnsynced(refs_.At(node).inode);
  cache_.Drop(node);
  cache_.DropKept(node);
  refs_.Remove(node);
}

int ApplierCore::Register(uint64_t ref, const SharedFd& fd, bool writable, const struct stat& st,
                          uint32_t* out) {
  const uint32_t old = refs_.Find(ref);
  if (old != kNone) Remove(old);
  const uint32_t index = refs_.Add(ref, InodeKey(st.st_dev, st.st_ino));
  Node& node = refs_.At(index);
  node.type = TypeOf(st.st_mode);
  node.flags = Node::kMayHavePrivileges;
  if (!hasHandles_ || !TakeHandle(fd->Get(), &node)) cache_.Keep(index, fd);
  // Directories are used again for each name in them, new files for their content; a file that was
  // only bound is opened when an op needs it.
  if (writable || node.type == NodeType::kDirectory) cache_.Put(index, fd, writable);
  *out = index;
  return 0;
}

// False when the filesystem has no handles that can be opened again.
bool ApplierCore::TakeHandle(int fd, Node* node) const {
  HandleBuffer buffer;
  struct file_handle* handle = buffer.Get();
  handle->handle_bytes = kHandleBytesMax;
  int mountId;
  if (name_to_handle_at(fd, "", handle, &mountId, AT_EMPTY_PATH) != 0) return false;
  if (fd == root_->Get()) {
    const Fd again(open_by_handle_at(root_->Get(), handle, O_PATH | O_CLOEXEC));
    if (!again.IsOpen()) return false;
  }
  node->handleType = handle->handle_type;
  node->handleBytes = static_cast<uint8_t>(handle->handle_bytes);
  memcpy(node->handle, handle->f_handle, handle->handle_bytes);
  return true;
}

int ApplierCore::FindNode(uint64_t ref, uint32_t* node) const {
  *node = refs_.Find(ref);
  return *node == kNone ? ESTALE : 0;
}

int ApplierCore::OpenNode(uint32_t index, int flags, SharedFd* out) {
  const Node& node = refs_.At(index);
  HandleBuffer buffer;
  struct file_handle* handle = buffer.Get();
  handle->handle_bytes = node.handleBytes;
  handle->handle_type = node.handleType;
  memcpy(handle->f_handle, node.handle, node.handleBytes);
  for (;;) {
    int fd;
    if (const SharedFd* kept = cache_.FindKept(index)) {
      char path[32];
      snprintf(path, sizeof path, "/proc/self/fd/%d", (*kept)->Get());
      fd = open(path, flags | O_CLOEXEC);
    } else {
      fd = open_by_handle_at(root_->Get(), handle, flags | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd >= 0) {
      *out = Share(fd);
      return 0;
    }
    if (errno == EINTR) continue;
    const int err = errno;
    if (!IsOutOfDescriptors(err) || !cache_.Shrink(kShrinkCount)) return err;
  }
}

int ApplierCore::OpenEntry(int directoryFd, const char* name, SharedFd* out) {
  for (;;) {
    Fd fd;
    const int err = OpenAtBeneath(directoryFd, name, O_PATH | O_NOFOLLOW, 0, &fd);
    if (err == 0) {
      *out = std::make_shared<Fd>(std::move(fd));
      return 0;
    }
    if (!IsOutOfDescriptors(err) || !cache_.Shrink(kShrinkCount)) return err;
  }
}

int ApplierCore::PathFd(uint32_t node, int* fd) {
  const SharedFd* found = cache_.Find(node, false);
  if (found == nullptr) found = cache_.FindKept(node);
  if (found == nullptr) {
    SharedFd opened;
    if (const int err = OpenNode(node, O_PATH, &opened)) return err;
    *fd = opened->Get();
    cache_.Put(node, std::move(opened), false);
    return 0;
  }
  *fd = (*found)->Get();
  return 0;
}

int ApplierCore::DirectoryFd(uint64_t ref, uint32_t* node, int* fd) {
  if (const int err = FindNode(ref, node)) return err;
  if (refs_.At(*node).type != NodeType::kDirectory) return ENOTDIR;
  return PathFd(*node, fd);
}

int ApplierCore::FileFd(uint64_t ref, uint32_t* node, int* fd) {
  if (const int err = FindNode(ref, node)) return err;
  if (refs_.At(*node).type != NodeType::kFile) return EINVAL;
  *fd = -1;
  if ((refs_.At(*node).flags & Node::kLost) != 0) return 0;
  if (const SharedFd* found = cache_.Find(*node, true)) {
    *fd = (*found)->Get();
    return 0;
  }
  SharedFd opened;
  if (const int err = OpenNode(*node, O_RDWR, &opened)) return err;
  *fd = opened->Get();
  cache_.Put(*node, std::move(opened), true);
  return 0;
}

void ApplierCore::MarkDirty(uint32_t index, uint8_t bits) {
  Node& node = refs_.At(index);
  if (node.dirtyRound != round_) {
    node.dirtyRound = round_;
    node.dirtyBits = 0;
    unsyncedCount_++;
  }
  if (unsynced_.whole || (node.dirtyBits & bits) == bits) return;
  const bool isNew = node.dirtyBits == 0;
  node.dirtyBits |= bits;
  const bool canOpen = node.type == NodeType::kFile || node.type == NodeType::kDirectory;
  const SharedFd* fd = canOpen ? cache_.Find(index, false) : nullptr;
  if (fd == nullptr && canOpen) fd = cache_.FindKept(index);
  if (fd == nullptr || (isNew && unsynced_.nodes.size() >= kSyncEachMax)) {
    unsynced_.whole = true;
    unsynced_.nodes.clear();
    return;
  }
  if (isNew) node.dirtyPlace = static_cast<uint8_t>(unsynced_.nodes.size());
  if (isNew) unsynced_.nodes.push_back({*fd, node.inode, node.type, 0});
  unsynced_.nodes[node.dirtyPlace].bits = node.dirtyBits;
}

void ApplierCore::DropUnsynced(uint64_t inode) {
  for (Unsynced& node : unsynced_.nodes) {
    if (node.inode == inode) node.fd.reset();
  }
}

CommitSet ApplierCore::TakeUnsynced() {
  CommitSet next;
  next.root = root_;
  // 0 is what a fresh node has.
  round_ = round_ == UINT32_MAX ? 1 : round_ + 1;
  unsyncedCount_ = 0;
  return std::exchange(unsynced_, std::move(next));
}

int ApplierCore::SyncTarget(uint64_t ref, bool dataOnly, CommitSet* out) {
  uint32_t node;
  if (const int err = FindNode(ref, &node)) return err;
  const Node& it = refs_.At(node);
  if ((it.flags & Node::kLost) != 0) return 0;
  if (it.type != NodeType::kFile && it.type != NodeType::kDirectory) return 0;
  int fd;
  if (const int err = PathFd(node, &fd)) return err;
  const SharedFd* held = cache_.Find(node, false);
  if (held == nullptr) held = cache_.FindKept(node);
  const bool dataSuffices = dataOnly && it.type == NodeType::kFile;
  out->nodes.push_back({*held, it.inode, it.type, dataSuffices ? kDirtyData : kDirtyAttributes});
  return 0;
}

}  // namespace twinfs::disk
