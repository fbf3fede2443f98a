// The table of refs.
#include "applier_refs.h"

#include <utility>

namespace twinfs::disk {

static_assert(sizeof(Node) <= 80, "a million refs must stay small");

namespace {

constexpr uint32_t kBucketsMin = 1024;

uint64_t Mix(uint64_t key) {
  key ^= key >> 32;
  key *= 0xd6e8feb86659fd93u;
  return key ^ (key >> 32);
}

}  // namespace

RefTable::RefTable() : byRef_(kBucketsMin, kNone), byInode_(kBucketsMin, kNone) {}

uint32_t RefTable::BucketOf(uint64_t key) const {
  return static_cast<uint32_t>(Mix(key)) & static_cast<uint32_t>(byRef_.size() - 1);
}

uint32_t RefTable::Find(uint64_t ref) const {
  uint32_t index = byRef_[BucketOf(ref)];
  while (index != kNone && At(index).ref != ref) index = At(index).nextByRef;
  return index;
}

uint32_t RefTable::FindInode(uint64_t inode) const {
  uint32_t index = byInode_[BucketOf(inode)];
  while (index != kNone && At(index).inode != inode) index = At(index).nextByInode;
  return index;
}

uint32_t RefTable::NextOfInode(uint32_t index) const {
  const uint64_t inode = At(index).inode;
  do {
    index = At(index).nextByInode;
  } while (index != kNone && At(index).inode != inode);
  return index;
}

uint32_t RefTable::Add(uint64_t ref, uint64_t inode) {
  if (size_ >= byRef_.size()) Grow();
  uint32_t index = free_;
  if (index != kNone) {
    free_ = At(index).nextByRef;
  } else {
    index = used_++;
    if (index % kChunkNodes == 0) chunks_.push_back(std::make_unique<Node[]>(kChunkNodes));
  }
  Node& node = At(index);
  node = Node();
  node.ref = ref;
  node.inode = inode;
  uint32_t& refHead = byRef_[BucketOf(ref)];
  node.nextByRef = std::exchange(refHead, index);
  uint32_t& inodeHead = byInode_[BucketOf(inode)];
  node.nextByInode = std::exchange(inodeHead, index);
  size_++;
  return index;
}

void RefTable::Remove(uint32_t index) {
  Node& node = At(index);
  uint32_t* link = &byRef_[BucketOf(node.ref)];
  while (*link != index) link = &At(*link).nextByRef;
  *link = node.nextByRef;
  link = &byInode_[BucketOf(node.inode)];
  while (*link != index) link = &At(*link).nextByInode;
  *link = node.nextByInode;
  node.nextByRef = std::exchange(free_, index);
  size_--;
}

void RefTable::Grow() {
  std::vector<uint32_t> all;
  all.reserve(size_);
  ForEach([&all](uint32_t index) { all.push_back(index); });
  const size_t buckets = byRef_.size() * 2;
  byRef_.assign(buckets, kNone);
  byInode_.assign(buckets, kNone);
  for (const uint32_t index : all) {
    Node& node = At(index);
    uint32_t& refHead = byRef_[BucketOf(node.ref)];
    node.nextByRef = std::exchange(refHead, index);
    uint32_t& inodeHead = byInode_[BucketOf(node.inode)];
    node.nextByInode = std::exchange(inodeHead, index);
  }
}

}  // namespace twinfs::disk
