// The maps of the node table: by nodeid and by inode number. Lock order: ino shard, then id shard.
#include "node_table.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "check.h"
#include "fuse_abi.h"

namespace twinfs {

constexpr size_t kFirstBuckets = 16;

int NodeTable::Open(int rootFd, size_t descriptorsMax) {
  struct stat st;
  if (fstat(rootFd, &st) != 0) return errno;
  for (size_t i = 0; i < kShards; i++) {
    ids_[i].buckets.assign(kFirstBuckets, nullptr);
    inos_[i].buckets.assign(kFirstBuckets, nullptr);
  }
  rootFd_ = rootFd;
  device_ = st.st_dev;
  cachedMax_ = descriptorsMax / kShards + 1;
  root_ = new Node();
  root_->id = abi::kRootId;
  root_->ino = st.st_ino;
  root_->type = S_IFDIR;
  root_->fd = ::openat(rootFd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_->fd < 0) return errno;
  root_->fdPinned = true;
  descriptors_.fetch_add(1);
  Insert(root_);
  return 0;
}

NodeTable::~NodeTable() {
  for (Shard& shard : ids_) {
    for (Node* node : shard.buckets) {
      while (node != nullptr) {
        Node* next = node->nextId;
        if (node->fd >= 0) close(node->fd);
        delete node;
        node = next;
      }
    }
  }
}

void NodeTable::GrowIds(Shard& shard) {
  std::vector<Node*> old = std::move(shard.buckets);
  shard.buckets.assign(old.size() * 2, nullptr);
  for (Node* node : old) {
    while (node != nullptr) {
      Node* next = node->nextId;
      Node*& head = shard.buckets[Bucket(shard, node->id)];
      node->nextId = head;
      head = node;
      node = next;
    }
  }
}

void NodeTable::GrowInos(Shard& shard) {
  std::vector<Node*> old = std::move(shard.buckets);
  shard.buckets.assign(old.size() * 2, nullptr);
  for (Node* node : old) {
    while (node != nullptr) {
      Node* next = node->nextIno;
      Node*& head = shard.buckets[Bucket(shard, node->ino)];
      node->nextIno = head;
      head = node;
      node = next;
    }
  }
}

// The ino shard's lock is held (or nobody else is there yet).
void NodeTable::Insert(Node* node) {
  Shard& byIno = InoShard(node->ino);
  if (++byIno.count > byIno.buckets.size()) GrowInos(byIno);
  Node*& inoHead = byIno.buckets[Bucket(byIno, node->ino)];
  node->nextIno = inoHead;
  inoHead = node;

  Shard& byId = IdShard(node->id);
  std::lock_guard lock(byId.mutex);
  if (++byId.count > byId.buckets.size()) GrowIds(byId);
  Node*& idHead = byId.buckets[Bucket(byId, node->id)];
  node->nextId = idHead;
  idHead = node;
  count_.fetch_add(1, std::memory_order_relaxed);
}

static bool TryRef(Node* node) {
  uint64_t refs = node->refs.load(std::memory_order_relaxed);
  while (refs != 0) {
    if (node->refs.compare_exchange_weak(refs, refs + 1, std::memory_order_acq_rel)) return true;
  }
  return false;
}

Node* NodeTable::Find(uint64_t id) {
  if (id == abi::kRootId) {
    Ref(root_);
    return root_;
  }
  Shard& shard = IdShard(id);
  std::lock_guard lock(shard.mutex);
  Node* node = shard.buckets[Bucket(shard, id)];
  while (node != nullptr && node->id != id) node = node->nextId;
  // A node whose last reference is being dropped stays dead: only an inode number leads to it anew.
  if (node != nullptr && !TryRef(node)) return nullptr;
  return node;
}

Node* NodeTable::FindInoLocked(Shard& shard, uint64_t ino) {
  Node* node = shard.buckets[Bucket(shard, ino)];
  while (node != nullptr && node->ino != ino) node = node->nextIno;
  if (node != nullptr) Ref(node);
  return node;
}

Node* NodeTable::FindIno(uint64_t ino) {
  Shard& shard = InoShard(ino);
  std::lock_guard lock(shard.mutex);
  return FindInoLocked(shard, ino);
}

Node* NodeTable::Adopt(int fd, const struct stat& st, bool* keep) {
  Node* known = FindIno(st.st_ino);
  if (known != nullptr) {
    if (keep != nullptr) *keep = false;
    return known;
  }
  Node* fresh = new Node();
  fresh->ino = st.st_ino;
  fresh->type = st.st_mode & S_IFMT;
  if (!MakeHandle(fd, fresh)) {
    // No handles here: only a descriptor of our own leads back to the inode.
    std::string path = "/proc/self/fd/" + std::to_string(fd);
    fresh->fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    fresh->fdPinned = true;
    descriptors_.fetch_add(1, std::memory_order_relaxed);
  }
  Shard& shard = InoShard(st.st_ino);
  std::unique_lock lock(shard.mutex);
  known = FindInoLocked(shard, st.st_ino);
  if (known != nullptr) {
    lock.unlock();
    Destroy(fresh);
    if (keep != nullptr) *keep = false;
    return known;
  }
  fresh->id = nextId_.fetch_add(1, std::memory_order_relaxed);
  Insert(fresh);
  lock.unlock();
  if (keep == nullptr) return fresh;
  std::vector<int> closing;
  Shard& byId = IdShard(fresh->id);
  {
    std::lock_guard idLock(byId.mutex);
    *keep = fresh->fd < 0;
    if (*keep) {
      fresh->fd = fd;
      descriptors_.fetch_add(1, std::memory_order_relaxed);
      CacheAdd(byId, fresh, &closing);
    }
  }
  for (int old : closing) close(old);
  return fresh;
}

bool NodeTable::Unref(Node* node, uint64_t count) {
  // Never to zero outside the lock: somebody could find the node by its inode number meanwhile.
  uint64_t refs = node->refs.load(std::memory_order_relaxed);
  while (refs > count) {
    if (node->refs.compare_exchange_weak(refs, refs - count, std::memory_order_acq_rel)) {
      return false;
    }
  }
  if (node == root_) return false;
  Shard& shard = InoShard(node->ino);
  std::lock_guard lock(shard.mutex);
  refs = node->refs.fetch_sub(count, std::memory_order_acq_rel);
  Check(refs >= count, "references dropped were held");
  if (refs > count) return false;
  Release(node);
  return true;
}

// Out of both maps; the ino shard's lock is held.
void NodeTable::Release(Node* node) {
  Shard& byIno = InoShard(node->ino);
  Node** link = &byIno.buckets[Bucket(byIno, node->ino)];
  while (*link != node) link = &(*link)->nextIno;
  *link = node->nextIno;
  byIno.count--;

  Shard& byId = IdShard(node->id);
  std::lock_guard lock(byId.mutex);
  link = &byId.buckets[Bucket(byId, node->id)];
  while (*link != node) link = &(*link)->nextId;
  *link = node->nextId;
  byId.count--;
  if (node->fd >= 0 && !node->fdPinned) CacheRemove(byId, node);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void NodeTable::Destroy(Node* node) {
  // Whoever set one of these holds a reference.
  Check(node->fdUsers == 0 && node->opens.load() == 0 && node->marks == 0 &&
            !node->timesPending.load() && !node->namesChanged,
        "nobody uses an inode that is let go");
  if (node->fd >= 0) {
    close(node->fd);
    descriptors_.fetch_sub(1, std::memory_order_relaxed);
  }
  delete node;
}

}  // namespace twinfs
