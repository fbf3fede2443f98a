// The file-system identity of worker threads. Raw system calls: the C library's wrappers would
// change all threads of the process, and these are per-thread in the kernel.
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "request.h"

namespace twinfs {

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

void PrepareWorkerThread() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  unshare(CLONE_FS);  // a umask of its own
  umask(0);
  syscall(SYS_setgroups, 0, nullptr);
  // Memory reclaim of this thread must not wait for the file system it serves (not permitted: no
  // harm).
  prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
}

// The group the kernel sends along when it matters: the parent's, if the caller is a member.
static bool SupplementaryGroup(const Request& request, gid_t* group) {
  size_t length = request.head.extensionWords * size_t{8};
  if (length < sizeof(abi::ExtensionHeader) || length > request.BodyBytes()) return false;
  const uint8_t* at = request.Bytes(request.BodyBytes() - length);
  while (length >= sizeof(abi::ExtensionHeader)) {
    abi::ExtensionHeader head;
    std::memcpy(&head, at, sizeof(head));
    if (head.size < sizeof(head) || head.size > length) return false;
    if (head.type == abi::kExtensionGroups && head.size >= sizeof(head) + 8) {
      uint32_t values[2];
      std::memcpy(values, at + sizeof(head), sizeof(values));
      *group = values[1];
      return values[0] > 0;
    }
    at += head.size;
    length -= head.size;
  }
  return false;
}

Credentials::Credentials(const Request& request) {
  gid_t group;
  if (SupplementaryGroup(request, &group)) {
    groupsSet_ = syscall(SYS_setgroups, 1, &group) == 0;
  }
  if (request.head.gid != 0) {
    syscall(SYS_setfsgid, request.head.gid);
    gidSet_ = true;
  }
  if (request.head.uid != 0) {
    syscall(SYS_setfsuid, request.head.uid);
    uidSet_ = true;
  }
}

Credentials::Credentials(uid_t uid, gid_t gid) {
  syscall(SYS_setfsgid, gid);
  gidSet_ = true;
  syscall(SYS_setfsuid, uid);
  uidSet_ = true;
}

Credentials::~Credentials() {
  // Back to uid 0 first: that gives the file-system capabilities back.
  if (uidSet_) syscall(SYS_setfsuid, 0);
  if (gidSet_) syscall(SYS_setfsgid, 0);
  if (groupsSet_) syscall(SYS_setgroups, 0, nullptr);
}

void Credentials::Override() {
  if (!uidSet_) return;
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &head, data) != 0) return;
  constexpr uint32_t kNeeded =
      (1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH) | (1u << CAP_MKNOD % 32);
  data[0].effective |= kNeeded & data[0].permitted;
  syscall(SYS_capset, &head, data);
}

}  // namespace twinfs
