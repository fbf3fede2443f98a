// The functions on paths below a root (typed in src/io/native.ts), for JavaScript.
#include <errno.h>
#include <fcntl.h>
#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "args.h"
#include "beneath.h"
#include "errors.h"
#include "exports.h"
#include "fd.h"
#include "file_ranges.h"
#include "pool_job.h"
#include "tree_change.h"
#include "tree_read.h"

namespace twinfs::disk {
namespace {

// The root may be closed by its owner while a job runs, so the job has a descriptor of its own.
SharedFd CopyOf(int fd) { return Share(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

Napi::Value Nothing(const Napi::CallbackInfo& info, int err, const char* syscall) {
  if (err != 0) ThrowErrno(info.Env(), err, syscall);
  return info.Env().Undefined();
}

Napi::Value OpenBeneathCall(const Napi::CallbackInfo& info) {
  Fd fd;
  const int err = OpenBeneath(IntArg(info, 0), BytesArg(info, 1), IntArg(info, 2),
                              static_cast<mode_t>(IntArg(info, 3)), &fd);
  if (err != 0) return Nothing(info, err, "openat2");
  return Napi::Number::New(info.Env(), fd.Release());
}

struct DirectoryResult {
  int err = 0;
  std::string packed;
};

Napi::Value ReadDir(const Napi::CallbackInfo& info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  auto result = std::make_shared<DirectoryResult>();
  PoolJob::Run(
      info.Env(),
      [result, root = CopyOf(IntArg(info, 0)), path = PathArg(info, 1)] {
        std::vector<TreeEntry> entries;
        result->err = ReadDirectory(root->Get(), path, &entries);
        if (result->err == 0) result->packed = PackEntries(entries);
      },
      [result, deferred](Napi::Env env) {
        if (result->err != 0) {
          deferred.Reject(MakeErrnoError(env, result->err, "readdir").Value());
        } else {
          deferred.Resolve(CopyToBuffer(env, result->packed));
        }
      });
  return deferred.Promise();
}

Napi::Value StatBeneath(const Napi::CallbackInfo& info) {
  std::vector<TreeEntry> entry(1);
  const int err = ReadEntry(IntArg(info, 0), BytesArg(info, 1), &entry[0]);
  if (err != 0) return Nothing(info, err, "lstat");
  return CopyToBuffer(info.Env(), PackEntries(entry));
}

Napi::Value MakeBeneath(const Napi::CallbackInfo& info) {
  const int err = MakeEntryBeneath(IntArg(info, 0), BytesArg(info, 1),
                                   static_cast<mode_t>(IntArg(info, 2)),
                                   static_cast<dev_t>(Int64Arg(info, 3)), BytesArg(info, 4));
  return Nothing(info, err, "mknod");
}

Napi::Value LinkBeneathCall(const Napi::CallbackInfo& info) {
  return Nothing(info, LinkBeneath(IntArg(info, 0), BytesArg(info, 1), BytesArg(info, 2)), "link");
}

Napi::Value RemoveBeneathCall(const Napi::CallbackInfo& info) {
  return RunForErrno(info.Env(), "unlink",
                     [root = CopyOf(IntArg(info, 0)), path = PathArg(info, 1)] {
                       return RemoveBeneath(root->Get(), path);
                     });
}

TreeMeta MetaArg(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Env env = info.Env();
  const Napi::Object object = info[index].As<Napi::Object>();
  TreeMeta meta;
  meta.mode = object.Get("mode").As<Napi::Number>().Uint32Value();
  meta.uid = object.Get("uid").As<Napi::Number>().Uint32Value();
  meta.gid = object.Get("gid").As<Napi::Number>().Uint32Value();
  meta.mtimeNs = BigIntOf(env, object.Get("mtime"));
  const Napi::Array xattrs = object.Get("xattrs").As<Napi::Array>();
  for (uint32_t i = 0; i < xattrs.Length(); i++) {
    const Napi::Object xattr = xattrs.Get(i).As<Napi::Object>();
    meta.xattrs.push_back({std::string(BytesOf(env, xattr.Get("name"))),
                           std::string(BytesOf(env, xattr.Get("value")))});
  }
  return meta;
}

Napi::Value SetMetaBeneathCall(const Napi::CallbackInfo& info) {
  const int err = SetMetaBeneath(IntArg(info, 0), BytesArg(info, 1), MetaArg(info, 2));
  return Nothing(info, err, "setattr");
}

Napi::Value PunchHoleCall(const Napi::CallbackInfo& info) {
  return Nothing(info, PunchHole(IntArg(info, 0), Int64Arg(info, 1), Int64Arg(info, 2)),
                 "fallocate");
}

}  // namespace
}  // namespace twinfs::disk

void twinfs::InitTree(Napi::Env env, Napi::Object exports) {
  using namespace disk;
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, call, name));
  };
  add("openBeneath", OpenBeneathCall);
  add("readDir", ReadDir);
  add("statBeneath", StatBeneath);
  add("makeBeneath", MakeBeneath);
  add("linkBeneath", LinkBeneathCall);
  add("removeBeneath", RemoveBeneathCall);
  add("setMetaBeneath", SetMetaBeneathCall);
  add("punchHole", PunchHoleCall);
}
