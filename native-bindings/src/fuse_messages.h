// The requests and replies of /dev/fuse as structs; see fuse_abi.h. Every one is a multiple of 8
// bytes.
#pragma once
#include <cstdint>

#include "fuse_abi.h"

namespace twinfs::abi {

struct InHeader {
  uint32_t len;
  uint32_t opcode;
  uint64_t unique;
  uint64_t nodeid;
  uint32_t uid;
  uint32_t gid;
  uint32_t pid;
  uint16_t extensionWords;  // request extensions at the end, in units of 8 bytes
  uint16_t padding;
};

struct OutHeader {
  uint32_t len;
  int32_t error;
  uint64_t unique;
};

struct InitIn {
  uint32_t major;
  uint32_t minor;
  uint32_t maxReadahead;
  uint32_t flags;
  uint32_t flags2;
  uint32_t unused[11];
};

struct InitOut {
  uint32_t major;
  uint32_t minor;
  uint32_t maxReadahead;
  uint32_t flags;
  uint16_t maxBackground;
  uint16_t congestionThreshold;
  uint32_t maxWrite;
  uint32_t timeGranularity;
  uint16_t maxPages;
  uint16_t mapAlignment;
  uint32_t flags2;
  uint32_t maxStackDepth;
  uint32_t unused[6];
};

struct Attr {
  uint64_t ino;
  uint64_t size;
  uint64_t blocks;
  uint64_t atime;
  uint64_t mtime;
  uint64_t ctime;
  uint32_t atimeNs;
  uint32_t mtimeNs;
  uint32_t ctimeNs;
  uint32_t mode;
  uint32_t nlink;
  uint32_t uid;
  uint32_t gid;
  uint32_t rdev;
  uint32_t blockSize;
  uint32_t flags;
};

struct EntryOut {
  uint64_t nodeid;
  uint64_t generation;
  uint64_t entryValid;
  uint64_t attrValid;
  uint32_t entryValidNs;
  uint32_t attrValidNs;
  Attr attr;
};

struct AttrOut {
  uint64_t attrValid;
  uint32_t attrValidNs;
  uint32_t dummy;
  Attr attr;
};

struct ForgetIn {
  uint64_t nlookup;
};
struct BatchForgetIn {
  uint32_t count;
  uint32_t dummy;
};
struct ForgetOne {
  uint64_t nodeid;
  uint64_t nlookup;
};

struct GetattrIn {
  uint32_t flags;
  uint32_t dummy;
  uint64_t fh;
};

struct SetattrIn {
  uint32_t valid;
  uint32_t padding;
  uint64_t fh;
  uint64_t size;
  uint64_t lockOwner;
  uint64_t atime;
  uint64_t mtime;
  uint64_t ctime;
  uint32_t atimeNs;
  uint32_t mtimeNs;
  uint32_t ctimeNs;
  uint32_t mode;
  uint32_t unused4;
  uint32_t uid;
  uint32_t gid;
  uint32_t unused5;
};

struct MknodIn {
  uint32_t mode;
  uint32_t rdev;
  uint32_t umask;
  uint32_t padding;
};
struct MkdirIn {
  uint32_t mode;
  uint32_t umask;
};
struct RenameIn {
  uint64_t newDir;
};
struct Rename2In {
  uint64_t newDir;
  uint32_t flags;
  uint32_t padding;
};
struct LinkIn {
  uint64_t oldNodeid;
};
struct OpenIn {
  uint32_t flags;
  uint32_t openFlags;
};
struct CreateIn {
  uint32_t flags;
  uint32_t mode;
  uint32_t umask;
  uint32_t openFlags;
};
struct OpenOut {
  uint64_t fh;
  uint32_t openFlags;
  int32_t backingId;
};
struct ReleaseIn {
  uint64_t fh;
  uint32_t flags;
  uint32_t releaseFlags;
  uint64_t lockOwner;
};
struct ReadIn {
  uint64_t fh;
  uint64_t offset;
  uint32_t size;
  uint32_t readFlags;
  uint64_t lockOwner;
  uint32_t flags;
  uint32_t padding;
};
struct WriteIn {
  uint64_t fh;
  uint64_t offset;
  uint32_t size;
  uint32_t writeFlags;
  uint64_t lockOwner;
  uint32_t flags;  // open flags of the file, O_DSYNC/O_SYNC of this write included
  uint32_t padding;
};
struct WriteOut {
  uint32_t size;
  uint32_t padding;
};
struct StatfsOut {
  uint64_t blocks;
  uint64_t bfree;
  uint64_t bavail;
  uint64_t files;
  uint64_t ffree;
  uint32_t bsize;
  uint32_t namelen;
  uint32_t frsize;
  uint32_t padding;
  uint32_t spare[6];
};
struct FsyncIn {
  uint64_t fh;
  uint32_t flags;
  uint32_t padding;
};
struct SetxattrIn {
  uint32_t size;
  uint32_t flags;
  uint32_t setxattrFlags;
  uint32_t padding;
};
constexpr size_t kSetxattrCompatBytes = 8;  // without SETXATTR_EXT
struct GetxattrIn {
  uint32_t size;
  uint32_t padding;
};
struct GetxattrOut {
  uint32_t size;
  uint32_t padding;
};
struct FallocateIn {
  uint64_t fh;
  uint64_t offset;
  uint64_t length;
  uint32_t mode;
  uint32_t padding;
};
struct LseekIn {
  uint64_t fh;
  uint64_t offset;
  uint32_t whence;
  uint32_t padding;
};
struct LseekOut {
  uint64_t offset;
};
struct CopyFileRangeIn {
  uint64_t fhIn;
  uint64_t offsetIn;
  uint64_t nodeidOut;
  uint64_t fhOut;
  uint64_t offsetOut;
  uint64_t length;
  uint64_t flags;
};
struct Dirent {
  uint64_t ino;
  uint64_t off;
  uint32_t nameBytes;
  uint32_t type;
  // name follows; the whole is padded to 8 bytes
};
struct ExtensionHeader {
  uint32_t size;
  uint32_t type;
};

// Unasked for, with kNotifyInvalInode as the header's error. A negative offset: attributes only.
struct NotifyInvalInode {
  uint64_t nodeid;
  int64_t offset;
  int64_t length;
};
struct StatxIn {
  uint32_t getattrFlags;
  uint32_t reserved;
  uint64_t fh;
  uint32_t flags;
  uint32_t mask;
};
struct StatxTime {
  int64_t seconds;
  uint32_t ns;
  int32_t reserved;
};
struct Statx {
  uint32_t mask;
  uint32_t blockSize;
  uint64_t attributes;
  uint32_t nlink;
  uint32_t uid;
  uint32_t gid;
  uint16_t mode;
  uint16_t spare0;
  uint64_t ino;
  uint64_t size;
  uint64_t blocks;
  uint64_t attributesMask;
  StatxTime atime;
  StatxTime btime;
  StatxTime ctime;
  StatxTime mtime;
  uint32_t rdevMajor;
  uint32_t rdevMinor;
  uint32_t devMajor;
  uint32_t devMinor;
  uint64_t spare2[14];
};
struct StatxOut {
  uint64_t attrValid;
  uint32_t attrValidNs;
  uint32_t flags;
  uint64_t spare[2];
  Statx stat;
};

static_assert(sizeof(InHeader) == 40 && sizeof(OutHeader) == 16 && sizeof(InitOut) == 64);
static_assert(sizeof(Attr) == 88 && sizeof(EntryOut) == 128 && sizeof(AttrOut) == 104);
static_assert(sizeof(SetattrIn) == 88 && sizeof(WriteIn) == 40 && sizeof(StatfsOut) == 80);
static_assert(sizeof(Statx) == 256 && sizeof(StatxOut) == 288);

}  // namespace twinfs::abi
