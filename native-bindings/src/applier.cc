// The class Applier (NativeApplier in src/io/native.ts): ApplierCore for JavaScript, and its syncs
// off the event loop.
#include <errno.h>
#include <napi.h>

#include <memory>
#include <utility>
#include <vector>

#include "applier_core.h"
#include "args.h"
#include "errors.h"
#include "exports.h"
#include "pool_job.h"

namespace twinfs::disk {
namespace {

// Outlives the JavaScript object while a sync runs.
struct State {
  std::unique_ptr<ApplierCore> core;  // null once closed
  // The first error of a sync. It stays: the kernel may have dropped the data, a later success
  // proves nothing.
  int failed = 0;
  bool isCommitting = false;
  // Commits asked for while one runs: the next run covers them all.
  std::vector<Napi::Promise::Deferred> waiting;
};
using StatePtr = std::shared_ptr<State>;

void Settle(Napi::Env env, const std::vector<Napi::Promise::Deferred>& all, int err) {
  for (const auto& deferred : all) deferred.Resolve(Napi::Number::New(env, err));
}

void StartCommit(Napi::Env env, const StatePtr& state) {
  auto asked = std::exchange(state->waiting, {});
  if (state->failed != 0 || state->core == nullptr) {
    Settle(env, asked, state->failed != 0 ? state->failed : EBADF);
    return;
  }
  auto set = std::make_shared<CommitSet>(state->core->TakeUnsynced());
  if (set->IsEmpty()) {
    Settle(env, asked, 0);
    return;
  }
  state->isCommitting = true;
  auto result = std::make_shared<int>(0);
  PoolJob::Run(
      env, [set, result] { *result = SyncSet(*set); },
      [state, result, asked = std::move(asked)](Napi::Env settleEnv) {
        state->isCommitting = false;
        if (state->failed == 0) state->failed = *result;
        Settle(settleEnv, asked, state->failed);
        if (!state->waiting.empty()) StartCommit(settleEnv, state);
      });
}

class Applier : public Napi::ObjectWrap<Applier> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);
  explicit Applier(const Napi::CallbackInfo& info);

 private:
  using Info = const Napi::CallbackInfo&;

  // Runs one op and returns its errno.
  template <typename Op>
  Napi::Value Do(Info info, Op op) {
    const int err = state_->core == nullptr ? EBADF : op(*state_->core);
    return Napi::Number::New(info.Env(), err);
  }
  static uint64_t Ref(Info info, size_t index) {
    return static_cast<uint64_t>(Int64Arg(info, index));
  }

  Napi::Value Reset(Info info);
  Napi::Value Bind(Info info);
  Napi::Value Forget(Info info);
  Napi::Value Write(Info info);
  Napi::Value Truncate(Info info);
  Napi::Value Fallocate(Info info);
  Napi::Value CopyRange(Info info);
  Napi::Value Create(Info info);
  Napi::Value Link(Info info);
  Napi::Value Unlink(Info info);
  Napi::Value Rename(Info info);
  Napi::Value SetAttr(Info info);
  Napi::Value Times(Info info);
  Napi::Value SetXattr(Info info);
  Napi::Value RemoveXattr(Info info);
  Napi::Value Fsync(Info info);
  Napi::Value Commit(Info info);
  Napi::Value Counters(Info info);
  Napi::Value Close(Info info);

  StatePtr state_ = std::make_shared<State>();
};

void Applier::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Applier",
              DefineClass(env, "Applier",
                          {InstanceMethod<&Applier::Reset>("reset"),
                           InstanceMethod<&Applier::Bind>("bind"),
                           InstanceMethod<&Applier::Forget>("forget"),
                           InstanceMethod<&Applier::Write>("write"),
                           InstanceMethod<&Applier::Truncate>("truncate"),
                           InstanceMethod<&Applier::Fallocate>("fallocate"),
                           InstanceMethod<&Applier::CopyRange>("copyRange"),
                           InstanceMethod<&Applier::Create>("create"),
                           InstanceMethod<&Applier::Link>("link"),
                           InstanceMethod<&Applier::Unlink>("unlink"),
                           InstanceMethod<&Applier::Rename>("rename"),
                           InstanceMethod<&Applier::SetAttr>("setattr"),
                           InstanceMethod<&Applier::Times>("times"),
                           InstanceMethod<&Applier::SetXattr>("setxattr"),
                           InstanceMethod<&Applier::RemoveXattr>("removexattr"),
                           InstanceMethod<&Applier::Fsync>("fsync"),
                           InstanceMethod<&Applier::Commit>("commit"),
                           InstanceMethod<&Applier::Counters>("counters"),
                           InstanceMethod<&Applier::Close>("close")}));
}

Applier::Applier(Info info) : Napi::ObjectWrap<Applier>(info) {
  const int err = ApplierCore::Open(IntArg(info, 0), &state_->core);
  if (err != 0) ThrowErrno(info.Env(), err, "open");
}

Napi::Value Applier::Reset(Info info) {
  if (state_->core != nullptr) state_->core->Reset();
  return info.Env().Undefined();
}

Napi::Value Applier::Bind(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Bind(Ref(info, 0), Ref(info, 1), BytesArg(info, 2));
  });
}

Napi::Value Applier::Forget(Info info) {
  return Do(info, [&](ApplierCore& core) { return core.Forget(Ref(info, 0)); });
}

Napi::Value Applier::Write(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Write(Ref(info, 0), Int64Arg(info, 1), BytesArg(info, 2), BoolArg(info, 3));
  });
}

Napi::Value Applier::Truncate(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Truncate(Ref(info, 0), Int64Arg(info, 1), BoolArg(info, 2));
  });
}

Napi::Value Applier::Fallocate(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Fallocate(Ref(info, 0), IntArg(info, 1), Int64Arg(info, 2), Int64Arg(info, 3));
  });
}

Napi::Value Applier::CopyRange(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.CopyRangeTo(Ref(info, 0), Int64Arg(info, 1), Ref(info, 2), Int64Arg(info, 3),
                            Int64Arg(info, 4));
  });
}

Napi::Value Applier::Create(Info info) {
  return Do(info, [&](ApplierCore& core) {
    CreateArgs args;
    args.ref = Ref(info, 0);
    args.parent = Ref(info, 1);
    args.name = BytesArg(info, 2);
    args.mode = static_cast<mode_t>(Int64Arg(info, 3));
    args.uid = static_cast<uid_t>(Int64Arg(info, 4));
    args.gid = static_cast<gid_t>(Int64Arg(info, 5));
    args.rdev = static_cast<dev_t>(Int64Arg(info, 6));
    args.target = BytesArg(info, 7);
    return core.Create(args);
  });
}

Napi::Value Applier::Link(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Link(Ref(info, 0), Ref(info, 1), BytesArg(info, 2));
  });
}

Napi::Value Applier::Unlink(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Unlink(Ref(info, 0), BytesArg(info, 1), BoolArg(info, 2));
  });
}

Napi::Value Applier::Rename(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.Rename(Ref(info, 0), BytesArg(info, 1), Ref(info, 2), BytesArg(info, 3),
                       static_cast<unsigned>(Int64Arg(info, 4)));
  });
}

Napi::Value Applier::SetAttr(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.SetAttr(Ref(info, 0), static_cast<mode_t>(Int64Arg(info, 1)),
                        static_cast<uid_t>(Int64Arg(info, 2)),
                        static_cast<gid_t>(Int64Arg(info, 3)));
  });
}

Napi::Value Applier::Times(Info info) {
  return Do(info, [&](ApplierCore& core) {
    const bool hasAtime = !info[2].IsNull();
    return core.Times(Ref(info, 0), BigIntOf(info.Env(), info[1]), hasAtime,
                      hasAtime ? BigIntOf(info.Env(), info[2]) : 0);
  });
}

Napi::Value Applier::SetXattr(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.SetXattrOf(Ref(info, 0), BytesArg(info, 1), BytesArg(info, 2), IntArg(info, 3));
  });
}

Napi::Value Applier::RemoveXattr(Info info) {
  return Do(info, [&](ApplierCore& core) {
    return core.RemoveXattrOf(Ref(info, 0), BytesArg(info, 1));
  });
}

Napi::Value Applier::Fsync(Info info) {
  const Napi::Env env = info.Env();
  auto deferred = Napi::Promise::Deferred::New(env);
  auto set = std::make_shared<CommitSet>();
  int err = state_->core == nullptr ? EBADF : state_->failed;
  if (err == 0) err = state_->core->SyncTarget(Ref(info, 0), BoolArg(info, 1), set.get());
  if (err != 0 || set->IsEmpty()) {
    deferred.Resolve(Napi::Number::New(env, err));
    return deferred.Promise();
  }
  auto result = std::make_shared<int>(0);
  PoolJob::Run(
      env, [set, result] { *result = SyncSet(*set); },
      [state = state_, result, deferred](Napi::Env settleEnv) {
        if (state->failed == 0) state->failed = *result;
        deferred.Resolve(Napi::Number::New(settleEnv, state->failed));
      });
  return deferred.Promise();
}

Napi::Value Applier::Commit(Info info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  state_->waiting.push_back(deferred);
  if (!state_->isCommitting) StartCommit(info.Env(), state_);
  return deferred.Promise();
}

Napi::Value Applier::Counters(Info info) {
  const ApplierCore* core = state_->core.get();
  Napi::Object counters = Napi::Object::New(info.Env());
  counters.Set("refs", core == nullptr ? 0 : core->RefCount());
  counters.Set("descriptors", core == nullptr ? 0 : core->DescriptorCount());
  counters.Set("unsynced", core == nullptr ? 0 : core->UnsyncedCount());
  return counters;
}

Napi::Value Applier::Close(Info info) {
  state_->core.reset();
  return info.Env().Undefined();
}

}  // namespace
}  // namespace twinfs::disk

void twinfs::InitApplier(Napi::Env env, Napi::Object exports) {
  disk::Applier::Init(env, exports);
}
