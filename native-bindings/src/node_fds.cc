// The descriptors of the node table: file handles, and a least-recently-used cache of O_PATH
// descriptors.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "check.h"
#include "node_table.h"

namespace twinfs {

namespace {
// MAX_HANDLE_SZ is 128 in every kernel; struct file_handle has a flexible array.
struct HandleSpace {
  alignas(struct file_handle) uint8_t bytes[sizeof(struct file_handle) + 128];
  struct file_handle* Get() { return reinterpret_cast<struct file_handle*>(bytes); }
};
}  // namespace

bool NodeTable::MakeHandle(int fd, Node* node) {
  HandleSpace space;
  space.Get()->handle_bytes = 128;
  int mountId;
  if (name_to_handle_at(fd, "", space.Get(), &mountId, AT_EMPTY_PATH) != 0) return false;
  uint8_t bytes = static_cast<uint8_t>(space.Get()->handle_bytes);
  node->handle.type = space.Get()->handle_type;
  node->handle.bytes = bytes;
  uint8_t* target = node->handle.inlined;
  if (bytes > FileHandle::kInline) target = node->handle.heap = new uint8_t[bytes];
  std::memcpy(target, space.Get()->f_handle, bytes);
  return bytes > 0;
}

int NodeTable::OpenHandle(const Node* node) const {
  HandleSpace space;
  space.Get()->handle_bytes = node->handle.bytes;
  space.Get()->handle_type = node->handle.type;
  std::memcpy(space.Get()->f_handle, node->handle.Data(), node->handle.bytes);
  int fd = open_by_handle_at(rootFd_, space.Get(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

PathFd NodeTable::OpenPath(Node* node) {
  Shard& shard = IdShard(node->id);
  std::unique_lock lock(shard.mutex);
  if (node->fd < 0) {
    if (node->handle.bytes == 0) return PathFd(this, nullptr, -ESTALE);
    lock.unlock();
    int opened = OpenHandle(node);
    if (opened < 0) return PathFd(this, nullptr, opened);
    std::vector<int> closing;
    lock.lock();
    if (node->fd < 0) {
      node->fd = opened;
      node->fdUsers++;
      descriptors_.fetch_add(1, std::memory_order_relaxed);
      CacheAdd(shard, node, &closing);
    } else {
      node->fdUsers++;
      closing.push_back(opened);
    }
    int result = node->fd;
    lock.unlock();
    for (int old : closing) close(old);
    return PathFd(this, node, result);
  }
  node->fdUsers++;
  if (!node->fdPinned && shard.newest != node) {
    CacheRemove(shard, node);
    CacheAdd(shard, node, nullptr);
  }
  return PathFd(this, node, node->fd);
}

PathFd::~PathFd() {
  if (node_ == nullptr || fd_ < 0) return;
  std::lock_guard lock(table_->IdShard(node_->id).mutex);
  Check(node_->fdUsers > 0, "a borrowed descriptor is counted");
  node_->fdUsers--;
}

void NodeTable::Pin(Node* node, int fd) {
  Shard& shard = IdShard(node->id);
  {
    std::lock_guard lock(shard.mutex);
    if (node->fd < 0) {
      node->fd = fd;
      fd = -1;
      descriptors_.fetch_add(1, std::memory_order_relaxed);
    } else if (!node->fdPinned) {
      CacheRemove(shard, node);
    }
    node->fdPinned = true;
  }
  if (fd >= 0) close(fd);
}

void NodeTable::CloseAll() {
  for (Shard& shard : ids_) {
    std::lock_guard lock(shard.mutex);
    for (Node* head : shard.buckets) {
      for (Node* node = head; node != nullptr; node = node->nextId) {
        if (node->fd >= 0) close(node->fd);
        node->fd = -1;
        node->newer = node->older = nullptr;
      }
    }
    shard.newest = shard.oldest = nullptr;
    shard.cached = 0;
  }
  descriptors_.store(0);
}

void NodeTable::CacheRemove(Shard& shard, Node* node) {
  (node->newer != nullptr ? node->newer->older : shard.newest) = node->older;
  (node->older != nullptr ? node->older->newer : shard.oldest) = node->newer;
  node->newer = node->older = nullptr;
  shard.cached--;
}

// Puts the node in front, and the descriptors that no longer fit into `closing`.
void NodeTable::CacheAdd(Shard& shard, Node* node, std::vector<int>* closing) {
  node->older = shard.newest;
  node->newer = nullptr;
  (shard.newest != nullptr ? shard.newest->newer : shard.oldest) = node;
  shard.newest = node;
  shard.cached++;
  if (closing == nullptr) return;
  Node* victim = shard.oldest;
  while (shard.cached > cachedMax_ && victim != nullptr && victim != node) {
    Node* next = victim->newer;
    if (victim->fdUsers == 0) {
      CacheRemove(shard, victim);
      closing->push_back(victim->fd);
      victim->fd = -1;
      descriptors_.fetch_sub(1, std::memory_order_relaxed);
    }
    victim = next;
  }
}

}  // namespace twinfs
