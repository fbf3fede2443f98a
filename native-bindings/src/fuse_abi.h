// The numbers of the kernel's /dev/fuse protocol (7.45), our own definitions; the messages
// themselves are in fuse_messages.h. Only what this program uses. Names and numbers follow the
// kernel's UAPI documentation; distribution headers are older than the kernels we run on, so none
// of them is included.
#pragma once
#include <cstddef>
#include <cstdint>

namespace twinfs::abi {

constexpr uint32_t kMajor = 7;
constexpr uint32_t kMinor = 45;
constexpr uint64_t kRootId = 1;
constexpr unsigned long kIoctlClone = 0x8004e500;  // _IOR(229, 0, uint32_t)

enum Opcode : uint32_t {
  LOOKUP = 1,
  FORGET = 2,
  GETATTR = 3,
  SETATTR = 4,
  READLINK = 5,
  SYMLINK = 6,
  MKNOD = 8,
  MKDIR = 9,
  UNLINK = 10,
  RMDIR = 11,
  RENAME = 12,
  LINK = 13,
  OPEN = 14,
  READ = 15,
  WRITE = 16,
  STATFS = 17,
  RELEASE = 18,
  FSYNC = 20,
  SETXATTR = 21,
  GETXATTR = 22,
  LISTXATTR = 23,
  REMOVEXATTR = 24,
  FLUSH = 25,
  INIT = 26,
  OPENDIR = 27,
  READDIR = 28,
  RELEASEDIR = 29,
  FSYNCDIR = 30,
  CREATE = 35,
  INTERRUPT = 36,
  DESTROY = 38,
  IOCTL = 39,
  BATCH_FORGET = 42,
  FALLOCATE = 43,
  READDIRPLUS = 44,
  RENAME2 = 45,
  LSEEK = 46,
  COPY_FILE_RANGE = 47,
  TMPFILE = 51,
  STATX = 52,
  OPCODES = 64,
};

// INIT flags; the upper half travels in flags2 when INIT_EXT is set.
constexpr uint64_t kAsyncRead = 1ull << 0;
constexpr uint64_t kAtomicOTrunc = 1ull << 3;
constexpr uint64_t kBigWrites = 1ull << 5;
constexpr uint64_t kDontMask = 1ull << 6;
constexpr uint64_t kDoReaddirplus = 1ull << 13;
constexpr uint64_t kReaddirplusAuto = 1ull << 14;
constexpr uint64_t kAsyncDio = 1ull << 15;
constexpr uint64_t kWritebackCache = 1ull << 16;
constexpr uint64_t kParallelDirops = 1ull << 18;
constexpr uint64_t kPosixAcl = 1ull << 20;
constexpr uint64_t kAbortError = 1ull << 21;
constexpr uint64_t kMaxPages = 1ull << 22;
constexpr uint64_t kCacheSymlinks = 1ull << 23;
constexpr uint64_t kHandleKillprivV2 = 1ull << 28;
constexpr uint64_t kSetxattrExt = 1ull << 29;
constexpr uint64_t kInitExt = 1ull << 30;
constexpr uint64_t kCreateSuppGroup = 1ull << 34;
constexpr uint64_t kDirectIoAllowMmap = 1ull << 36;

// Flags of an open reply.
constexpr uint32_t kOpenDirectIo = 1u << 0;
constexpr uint32_t kOpenKeepCache = 1u << 1;
constexpr uint32_t kOpenParallelDirectWrites = 1u << 6;
// Flag of an open request: clear suid and sgid if the file is truncated.
constexpr uint32_t kOpenKillSuidgid = 1u << 0;

constexpr uint32_t kAttrMode = 1u << 0;
constexpr uint32_t kAttrUid = 1u << 1;
constexpr uint32_t kAttrGid = 1u << 2;
constexpr uint32_t kAttrSize = 1u << 3;
constexpr uint32_t kAttrAtime = 1u << 4;
constexpr uint32_t kAttrMtime = 1u << 5;
constexpr uint32_t kAttrFh = 1u << 6;
constexpr uint32_t kAttrAtimeNow = 1u << 7;
constexpr uint32_t kAttrMtimeNow = 1u << 8;
constexpr uint32_t kAttrKillSuidgid = 1u << 11;

constexpr uint32_t kGetattrFh = 1u << 0;
constexpr uint32_t kWriteKillSuidgid = 1u << 2;
constexpr uint32_t kFsyncDataOnly = 1u << 0;
constexpr uint32_t kSetxattrAclKillSgid = 1u << 0;
constexpr uint32_t kExtensionGroups = 32;
constexpr int32_t kNotifyInvalInode = 2;

}  // namespace twinfs::abi
