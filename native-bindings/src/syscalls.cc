// System calls that Node lacks, on descriptors and absolute paths (typed in src/io/native.ts).
// Those that may take long run on a pool thread.
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <napi.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "args.h"
#include "errors.h"
#include "exports.h"
#include "fd.h"
#include "pool_job.h"
#include "xattrs.h"

// <sys/mount.h> and <linux/mount.h> cannot be included together on every C library.
extern "C" int umount2(const char* target, int flags) noexcept;

namespace twinfs::disk {
namespace {

constexpr int kMntDetach = 2;
constexpr int kUmountNofollow = 8;

Napi::Value Open(const Napi::CallbackInfo& info) {
  const std::string path = PathArg(info, 0);
  const int fd = open(path.c_str(), IntArg(info, 1) | O_CLOEXEC, IntArg(info, 2));
  if (fd >= 0) return Napi::Number::New(info.Env(), fd);
  ThrowErrno(info.Env(), errno, "open");
  return {};
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  if (close(IntArg(info, 0)) != 0) ThrowErrno(info.Env(), errno, "close");
  return info.Env().Undefined();
}

// syncfs(2) refuses O_PATH descriptors, so those are opened again, at the same place.
int SyncFilesystem(int fd) {
  if (syncfs(fd) == 0) return 0;
  if (errno != EBADF) return errno;
  const Fd real(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!real.IsOpen()) return errno;
  return syncfs(real.Get()) == 0 ? 0 : errno;
}

Napi::Value SyncFs(const Napi::CallbackInfo& info) {
  // A copy, so that closing the original meanwhile does no harm.
  const int copy = fcntl(IntArg(info, 0), F_DUPFD_CLOEXEC, 0);
  const int err = copy < 0 ? errno : 0;
  return RunForErrno(info.Env(), "syncfs", [fd = Share(copy), err] {
    return err != 0 ? err : SyncFilesystem(fd->Get());
  });
}

Napi::Value Space(const Napi::CallbackInfo& info) {
  struct statvfs st;
  if (fstatvfs(IntArg(info, 0), &st) != 0) {
    ThrowErrno(info.Env(), errno, "fstatvfs");
    return {};
  }
  const double unit = static_cast<double>(st.f_frsize);
  Napi::Object space = Napi::Object::New(info.Env());
  space.Set("totalBytes", static_cast<double>(st.f_blocks) * unit);
  space.Set("freeBytes", static_cast<double>(st.f_bfree) * unit);
  space.Set("availableBytes", static_cast<double>(st.f_bavail) * unit);
  space.Set("freeFiles", static_cast<double>(st.f_ffree));
  return space;
}

Napi::Value GetXattrOf(const Napi::CallbackInfo& info) {
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  std::string value;
  const int err = GetXattr({IntArg(info, 0), nullptr}, name.c_str(), &value);
  if (err == 0) return CopyToBuffer(info.Env(), value);
  if (err == ENODATA) return info.Env().Null();
  ThrowErrno(info.Env(), err, "getxattr");
  return {};
}

Napi::Value SetXattrOf(const Napi::CallbackInfo& info) {
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  const int err = SetXattr({IntArg(info, 0), nullptr}, name.c_str(), BytesArg(info, 2), 0);
  if (err != 0) ThrowErrno(info.Env(), err, "setxattr");
  return info.Env().Undefined();
}

// A detached clone of the mount is made read-only before it becomes visible, so there is no moment
// at which the view is writable; nosuid, nodev and the like stay as they are on the original.
int BindReadOnly(const std::string& path) {
  const Fd clone(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path.c_str(),
                                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!clone.IsOpen()) return errno;
  struct mount_attr attr = {};
  // noexec: a program run from here would make the daemon's write to its file fail with ETXTBSY,
  // and an op that cannot be applied costs the mirror.
  attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
  if (syscall(SYS_mount_setattr, clone.Get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
    return errno;
  }
  const long moved = syscall(SYS_move_mount, clone.Get(), "", AT_FDCWD, path.c_str(),
                             MOVE_MOUNT_F_EMPTY_PATH);
  return moved == 0 ? 0 : errno;
}

Napi::Value BindReadOnlyAsync(const Napi::CallbackInfo& info) {
  return RunForErrno(info.Env(), "mount",
                     [path = PathArg(info, 0)] { return BindReadOnly(path); });
}

Napi::Value UnmountAsync(const Napi::CallbackInfo& info) {
  const int flags = kUmountNofollow | (BoolArg(info, 1) ? kMntDetach : 0);
  return RunForErrno(info.Env(), "umount", [path = PathArg(info, 0), flags] {
    return umount2(path.c_str(), flags) == 0 ? 0 : errno;
  });
}

Napi::Value Identity(const Napi::CallbackInfo& info) {
  struct stat st;
  if (fstat(IntArg(info, 0), &st) != 0) {
    ThrowErrno(info.Env(), errno, "fstat");
    return {};
  }
  char text[80];
  snprintf(text, sizeof text, "%u:%u %llu", major(st.st_dev), minor(st.st_dev),
           static_cast<unsigned long long>(st.st_ino));
  return Napi::String::New(info.Env(), text);
}

}  // namespace
}  // namespace twinfs::disk

void twinfs::InitSyscalls(Napi::Env env, Napi::Object exports) {
  using namespace disk;
  exports.Set("open", Napi::Function::New(env, Open, "open"));
  exports.Set("close", Napi::Function::New(env, Close, "close"));
  exports.Set("syncfs", Napi::Function::New(env, SyncFs, "syncfs"));
  exports.Set("space", Napi::Function::New(env, Space, "space"));
  exports.Set("getXattr", Napi::Function::New(env, GetXattrOf, "getXattr"));
  exports.Set("setXattr", Napi::Function::New(env, SetXattrOf, "setXattr"));
  exports.Set("bindReadOnly", Napi::Function::New(env, BindReadOnlyAsync, "bindReadOnly"));
  exports.Set("unmount", Napi::Function::New(env, UnmountAsync, "unmount"));
  exports.Set("identity", Napi::Function::New(env, Identity, "identity"));
}
