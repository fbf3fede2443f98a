// mount(2), the INIT handshake with the kernel, umount(2). Run off the event loop: umount writes
// dirty pages back through ourselves.
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "kernel_version.h"
#include "session.h"

namespace twinfs {

namespace {

// Descriptors kept for path lookups; beyond it inodes are found again by their handles.
constexpr size_t kPathDescriptorsMax = 16384;
constexpr uint16_t kMaxBackground = 128;
constexpr uint16_t kCongestionThreshold = 96;

constexpr uint64_t kWanted = abi::kAsyncRead | abi::kAtomicOTrunc | abi::kBigWrites |
                             abi::kDontMask | abi::kDoReaddirplus | abi::kReaddirplusAuto |
                             abi::kAsyncDio | abi::kParallelDirops | abi::kPosixAcl |
                             abi::kAbortError | abi::kMaxPages | abi::kCacheSymlinks |
                             abi::kHandleKillprivV2 | abi::kSetxattrExt | abi::kInitExt |
                             abi::kCreateSuppGroup | abi::kDirectIoAllowMmap;
// Without these owners, modes or ACLs would come out wrong.
constexpr uint64_t kNeeded = abi::kAtomicOTrunc | abi::kDontMask | abi::kPosixAcl |
                             abi::kHandleKillprivV2 | abi::kMaxPages;

// Every open file of an application is one of ours as well.
size_t RaiseDescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  struct rlimit wanted = {1 << 20, 1 << 20};
  if (limit.rlim_max < wanted.rlim_max && setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace

int Session::Handshake(int fd) {
  std::unique_ptr<uint8_t[]> buffer(new uint8_t[kRequestBytes]);
  ssize_t bytes;
  do {
    bytes = read(fd, buffer.get(), kRequestBytes);
  } while (bytes < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN));
  if (bytes < 0) return errno;
  const auto* head = reinterpret_cast<const abi::InHeader*>(buffer.get());
  const auto* in = reinterpret_cast<const abi::InitIn*>(buffer.get() + sizeof(abi::InHeader));
  if (head->opcode != abi::INIT || in->major != abi::kMajor) return EPROTO;
  uint64_t offered = in->flags;
  if ((offered & abi::kInitExt) != 0) offered |= static_cast<uint64_t>(in->flags2) << 32;
  if ((offered & kNeeded) != kNeeded) {
    WriteReply(fd, head->unique, EPROTO, nullptr, 0);
    return EOPNOTSUPP;
  }
  uint64_t wanted = kWanted | (options.writebackCache ? abi::kWritebackCache : 0);
  uint64_t taken = offered & wanted;
  writebackCache = (taken & abi::kWritebackCache) != 0;
  struct utsname name;
  directWrites = !writebackCache && uname(&name) == 0 && DirectWritesAreCoherent(name.release);
  setxattrExtended = (taken & abi::kSetxattrExt) != 0;
  abi::InitOut out = {};
  out.major = abi::kMajor;
  out.minor = std::min(in->minor, abi::kMinor);
  out.maxReadahead = std::max<uint32_t>(in->maxReadahead, kMaxWriteBytes);
  out.flags = static_cast<uint32_t>(taken);
  out.flags2 = static_cast<uint32_t>(taken >> 32);
  out.maxBackground = kMaxBackground;
  out.congestionThreshold = kCongestionThreshold;
  out.maxWrite = kMaxWriteBytes;
  out.maxPages = static_cast<uint16_t>(kMaxWriteBytes / sysconf(_SC_PAGESIZE));
  out.timeGranularity = 1;
  WriteReply(fd, head->unique, 0, &out, sizeof(out));
  return 0;
}

int Session::Mount(const char** call) {
  *call = "open";
  rootFd = openat(options.sourceFd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (rootFd < 0) return errno;
  size_t descriptors = RaiseDescriptorLimit();
  *call = "fstat";
  int errnum = nodes.Open(rootFd, std::min(kPathDescriptorsMax, descriptors / 4));
  if (errnum != 0) return errnum;
  if (getrandom(&generation, sizeof(generation), 0) < 0) generation = 1;
  generation &= 0x7fffffff;
  *call = "open";
  fuseFd_ = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fuseFd_ < 0) return errno;
  char data[128];
  std::snprintf(data, sizeof(data),
                "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
                fuseFd_);
  *call = "mount";
  if (::mount(options.fsname.c_str(), options.mountpoint.c_str(), "fuse.twinfs", 0, data) != 0) {
    return errno;
  }
  *call = "read";
  errnum = Handshake(fuseFd_);
  if (errnum != 0) {
    umount2(options.mountpoint.c_str(), MNT_DETACH);
    return errnum;
  }
  StartWorkers();
  return 0;
}

int Session::Unmount(bool lazy) {
  int flags = UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0);
  return umount2(options.mountpoint.c_str(), flags) == 0 ? 0 : errno;
}

}  // namespace twinfs
