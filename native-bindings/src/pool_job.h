// Work off the event loop: `work` runs on a pool thread, then `settle` on the event loop. What both
// need is captured by value (shared pointers for what must outlive the caller).
#pragma once
#include <napi.h>

#include <functional>
#include <utility>

#include "errors.h"

namespace twinfs::disk {

class PoolJob : public Napi::AsyncWorker {
 public:
  static void Run(Napi::Env env, std::function<void()> work,
                  std::function<void(Napi::Env)> settle) {
    (new PoolJob(env, std::move(work), std::move(settle)))->Queue();
  }

 protected:
  void Execute() override { work_(); }
  void OnOK() override { settle_(Env()); }

 private:
  PoolJob(Napi::Env env, std::function<void()> work, std::function<void(Napi::Env)> settle)
      : Napi::AsyncWorker(env, "twinfs"), work_(std::move(work)), settle_(std::move(settle)) {}

  std::function<void()> work_;
  std::function<void(Napi::Env)> settle_;
};

// A promise of nothing: rejects with the errno that `work` returns, unless it is 0.
inline Napi::Promise RunForErrno(Napi::Env env, const char* syscall, std::function<int()> work) {
  auto deferred = Napi::Promise::Deferred::New(env);
  auto result = std::make_shared<int>(0);
  PoolJob::Run(
      env, [result, work = std::move(work)] { *result = work(); },
      [result, deferred, syscall](Napi::Env settleEnv) {
        if (*result == 0) {
          deferred.Resolve(settleEnv.Undefined());
        } else {
          deferred.Reject(MakeErrnoError(settleEnv, *result, syscall).Value());
        }
      });
  return deferred.Promise();
}

}  // namespace twinfs::disk
