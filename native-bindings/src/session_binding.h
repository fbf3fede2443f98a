// `Session` for JavaScript (typed in src/io/native.ts). All methods run on the event loop; the workers reach
// it through one uv_async handle, which also coalesces their wake-ups.
#pragma once
#include <napi.h>
#include <uv.h>

#include <vector>

#include "session.h"

namespace twinfs {

class SessionBinding : public Napi::ObjectWrap<SessionBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SessionBinding(const Napi::CallbackInfo& info);
  ~SessionBinding() override;

 private:
  struct Async {
    uv_async_t handle;
    SessionBinding* owner;
    napi_async_cleanup_hook_handle hook;
  };
  static void onAsync(uv_async_t* handle);
  static void onEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);
  void closeAsync();
  void setMounted(bool mounted);
  void awake();
  void call(const Napi::FunctionReference& callback, const std::vector<napi_value>& arguments);
  bool isQuiet();
  void settleQuiesce();

  Napi::Value mount(const Napi::CallbackInfo& info);
  Napi::Value unmount(const Napi::CallbackInfo& info);
  void setGate(const Napi::CallbackInfo& info);
  void setReadOnly(const Napi::CallbackInfo& info);
  Napi::Value quiesce(const Napi::CallbackInfo& info);
  void setStream(const Napi::CallbackInfo& info);
  void setAnswer(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  void complete(const Napi::CallbackInfo& info);
  void credit(const Napi::CallbackInfo& info);
  Napi::Value takeMarks(const Napi::CallbackInfo& info);
  void addMark(const Napi::CallbackInfo& info);
  Napi::Value pathOf(const Napi::CallbackInfo& info);
  void flushTimes(const Napi::CallbackInfo& info);
  void setPeerSpace(const Napi::CallbackInfo& info);
  void clearPeerSpace(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);

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
