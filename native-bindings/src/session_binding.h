// `Session` for JavaScript (typed in src/io/native.ts). All methods run on the event loop; the
// workers reach it through one uv_async handle, which also coalesces their wake-ups.
#pragma once
#include <napi.h>
#include <uv.h>

#include <vector>

#include "session.h"

namespace twinfs {

class SessionBinding : public Napi::ObjectWrap<SessionBinding> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit SessionBinding(const Napi::CallbackInfo& info);
  ~SessionBinding() override;

 private:
  struct Async {
    uv_async_t handle;
    SessionBinding* owner;
    napi_async_cleanup_hook_handle hook;
  };
  static void OnAsync(uv_async_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);
  void CloseAsync();
  void SetMounted(bool mounted);
  void Awake();
  void Call(const Napi::FunctionReference& callback, const std::vector<napi_value>& arguments);
  bool IsQuiet();
  void SettleQuiesce();

  Napi::Value Mount(const Napi::CallbackInfo& info);
  Napi::Value Unmount(const Napi::CallbackInfo& info);
  void SetGate(const Napi::CallbackInfo& info);
  void SetReadOnly(const Napi::CallbackInfo& info);
  Napi::Value Quiesce(const Napi::CallbackInfo& info);
  void SetStream(const Napi::CallbackInfo& info);
  void SetAnswer(const Napi::CallbackInfo& info);
  Napi::Value Drain(const Napi::CallbackInfo& info);
  void Complete(const Napi::CallbackInfo& info);
  void Credit(const Napi::CallbackInfo& info);
  Napi::Value TakeMarks(const Napi::CallbackInfo& info);
  void AddMark(const Napi::CallbackInfo& info);
  Napi::Value PathOf(const Napi::CallbackInfo& info);
  void FlushTimes(const Napi::CallbackInfo& info);
  void SetPeerSpace(const Napi::CallbackInfo& info);
  void ClearPeerSpace(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);

  Session* session_;
  Async* async_;
  Napi::FunctionReference wake_;
  Napi::FunctionReference notice_;
  Napi::AsyncContext context_;
  HandoffBatch batch_;
  std::vector<Napi::Promise::Deferred> quiescing_;
  bool timesFlushWanted_ = false;
  bool mounted_ = false;
};

}  // namespace twinfs
