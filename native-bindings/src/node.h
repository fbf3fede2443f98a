// One inode the kernel knows, and its names as the secondary's copy has them. Who may touch which
// field is said at the field: the table's shard locks, the stream lock, or atomics.
#pragma once
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace twinfs {

struct Node;

// A name of an inode. It holds a reference on its parent, so that a path can be told even when the
// kernel has forgotten a directory in the middle.
struct Alias {
  Node* parent;
  std::string name;
};

// name_to_handle_at's answer: finds the inode again without holding a descriptor.
struct FileHandle {
  static constexpr size_t kInline = 24;
  int32_t type = 0;
  uint8_t bytes = 0;  // 0: the filesystem gives no handles
  union {
    uint8_t inlined[kInline];
    uint8_t* heap;
  };
  FileHandle() : heap(nullptr) {}
  ~FileHandle() {
    if (bytes > kInline) delete[] heap;
  }
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  const uint8_t* Data() const { return bytes > kInline ? heap : inlined; }
};

// What a resync has to look at; bits of Mark in engine.ts.
constexpr uint8_t kMarkData = 1;
constexpr uint8_t kMarkAttributes = 2;
constexpr uint8_t kMarkEntries = 4;

struct Node {
  uint64_t id = 0;  // the kernel's nodeid and the stream's ref; never given twice
  uint64_t ino = 0;
  uint32_t type = 0;  // S_IFMT bits

  // Lookups of the kernel plus internal holders (children's aliases, open files, queues). The last
  // drop is made under the ino shard's lock.
  std::atomic<uint64_t> refs{1};
  std::atomic<int32_t> opens{0};
  // Odd while a namespace change on this directory is between its system call and its place in the
  // stream.
  std::atomic<uint32_t> nameSeq{0};
  // Counts changes of content; `syncedSeq` is the count up to which it is on disk. At first nobody
  // knows.
  std::atomic<uint32_t> dataSeq{0};
  std::atomic<uint32_t> syncedSeq{UINT32_MAX};
  // For good: the kernel may have dropped data, and a descriptor opened later would not be told.
  std::atomic<bool> syncFailed{false};

  FileHandle handle;

  // Under the id shard's lock: the cached O_PATH descriptor.
  int fd = -1;
  uint32_t fdUsers = 0;
  bool fdPinned = false;  // unlinked, or no handles: the descriptor is the only way to the inode
  Node* newer = nullptr;
  Node* older = nullptr;
  Node* nextId = nullptr;
  Node* nextIno = nullptr;  // under the ino shard's lock

  // Under the stream lock.
  uint8_t marks = 0;
  uint32_t boundEpoch = 0;  // epoch in which the secondary knows `id`
  Alias alias{nullptr, {}};
  std::unique_ptr<std::vector<Alias>> moreAliases;

  std::atomic<bool> timesPending{false};  // queued in Times
  bool namesChanged = false;  // under the lock of Committer

  bool IsDirectory() const { return type == S_IFDIR; }
  bool IsSynced() const { return !syncFailed.load() && syncedSeq.load() == dataSeq.load(); }
  bool IsNameless() const { return alias.parent == nullptr; }
  bool HasAlias(const Node* parent, const char* name, size_t bytes) const;
  // The caller has taken the reference on `parent`.
  void AddAlias(Node* parent, const char* name, size_t bytes);
  // Returns the parent whose reference is now the caller's to drop, or null when there was no such
  // alias.
  Node* RemoveAlias(const Node* parent, const char* name, size_t bytes);
};

// An open file; `fh` of the kernel is its address.
struct OpenFile {
  OpenFile(int fd, Node* node) : fd(fd), node(node) {}
  const int fd;
  Node* const node;
  std::atomic<uint32_t> refs{1};
};

}  // namespace twinfs
