// nodeid ↔ inode. Finds inodes by id and by inode number, keeps file handles instead of descriptors
// so that a million known inodes cost no descriptor each, and a bounded cache of O_PATH
// descriptors.
#pragma once
#include <atomic>
#include <mutex>
#include <vector>

#include "node.h"

namespace twinfs {

class NodeTable;

// A borrowed O_PATH descriptor of a node; it stays open for as long as this lives.
class PathFd {
 public:
  PathFd(NodeTable* table, Node* node, int fd) : table_(table), node_(node), fd_(fd) {}
  PathFd(PathFd&& other) noexcept : table_(other.table_), node_(other.node_), fd_(other.fd_) {
    other.node_ = nullptr;
  }
  PathFd(const PathFd&) = delete;
  PathFd& operator=(const PathFd&) = delete;
  ~PathFd();
  // ≥ 0, or a negative errno.
  int Get() const { return fd_; }
  bool Ok() const { return fd_ >= 0; }
  int Error() const { return -fd_; }

 private:
  NodeTable* table_;
  Node* node_;
  int fd_;
};

class NodeTable {
 public:
  // `rootFd` is a real (not O_PATH) descriptor of the root directory; it stays the caller's.
  // Returns an errno. `descriptorsMax` bounds the cache.
  int Open(int rootFd, size_t descriptorsMax);
  ~NodeTable();

  Node* Root() const { return root_; }
  uint64_t Device() const { return device_; }
  // The node with a new reference, or null when there is none.
  Node* Find(uint64_t id);
  // A new reference on the node of this inode, made when unknown. `fd` may be O_PATH or real; with
  // `keep` it is an O_PATH descriptor the table may keep: *keep says afterwards whether it did.
  Node* Adopt(int fd, const struct stat& st, bool* keep);
  // The known node of an inode number with a new reference, or null.
  Node* FindIno(uint64_t ino);
  void Ref(Node* node) { node->refs.fetch_add(1, std::memory_order_relaxed); }
  // Drops references. True: it was the last, the node is out of the table and the caller's to
  // release.
  [[nodiscard]] bool Unref(Node* node, uint64_t count = 1);
  // Frees a node that is out of the table.
  void Destroy(Node* node);

  PathFd OpenPath(Node* node);
  // Keeps the inode reachable and its number unused after its last name goes. Takes `fd` (O_PATH).
  void Pin(Node* node, int fd);

  // Closes every descriptor: the session is over, only names and numbers are still asked for.
  void CloseAll();

  size_t Size() const { return count_.load(std::memory_order_relaxed); }
  size_t Descriptors() const { return descriptors_.load(std::memory_order_relaxed); }

 private:
  friend class PathFd;
  static constexpr size_t kShards = 64;
  struct Shard {
    std::mutex mutex;
    std::vector<Node*> buckets;
    size_t count = 0;
    // Descriptor cache (id shards only).
    Node* newest = nullptr;
    Node* oldest = nullptr;
    size_t cached = 0;
  };
  static uint64_t Mix(uint64_t key) { return key * 0x9e3779b97f4a7c15ull; }
  Shard& IdShard(uint64_t id) { return ids_[Mix(id) >> 58]; }
  Shard& InoShard(uint64_t ino) { return inos_[Mix(ino) >> 58]; }
  static size_t Bucket(const Shard& shard, uint64_t key) {
    return (Mix(key) >> 20) & (shard.buckets.size() - 1);
  }
  void Insert(Node* node);
  void GrowIds(Shard& shard);
  void GrowInos(Shard& shard);
  Node* FindInoLocked(Shard& shard, uint64_t ino);
  bool MakeHandle(int fd, Node* node);
  int OpenHandle(const Node* node) const;
  void CacheAdd(Shard& shard, Node* node, std::vector<int>* closing);
  void CacheRemove(Shard& shard, Node* node);
  void Release(Node* node);

  Shard ids_[kShards];
  Shard inos_[kShards];
  Node* root_ = nullptr;
  int rootFd_ = -1;
  uint64_t device_ = 0;
  size_t cachedMax_ = 0;  // per shard
  std::atomic<uint64_t> nextId_{2};
  std::atomic<size_t> count_{0};
  std::atomic<size_t> descriptors_{0};
};

}  // namespace twinfs
