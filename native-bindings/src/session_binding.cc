// The life of a session object: its handle on the event loop, its callbacks, mount and umount.
#include "session_binding.h"

#include <functional>

#include "errors.h"
#include "exports.h"

namespace twinfs {

namespace {

// mount(2) or umount(2) in the thread pool.
class MountJob : public Napi::AsyncWorker {
 public:
  enum class Kind { mount, unmount, unmountLazy };
  // `done` is told the errno on the event loop, before the promise settles.
  MountJob(Napi::Env env, Session* session, Kind kind, std::function<void(int)> done)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        session_(session),
        kind_(kind),
        done_(std::move(done)) {}
  Napi::Promise Promise() { return deferred_.Promise(); }

 protected:
  void Execute() override {
    call_ = "umount2";
    errnum_ = kind_ == Kind::mount ? session_->Mount(&call_)
                                   : session_->Unmount(kind_ == Kind::unmountLazy);
  }
  void OnOK() override {
    Napi::HandleScope scope(Env());
    done_(errnum_);
    if (errnum_ == 0) {
      deferred_.Resolve(Env().Undefined());
    } else {
      deferred_.Reject(disk::MakeErrnoError(Env(), errnum_, call_).Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  Session* session_;
  Kind kind_;
  std::function<void(int)> done_;
  int errnum_ = 0;
  const char* call_ = "";
};

}  // namespace

static SessionOptions ReadOptions(const Napi::Object& from) {
  SessionOptions options;
  options.sourceFd = from.Get("sourceFd").As<Napi::Number>().Int32Value();
  auto path = from.Get("mountpoint").As<Napi::Buffer<char>>();
  options.mountpoint.assign(path.Data(), path.Length());
  options.fsname = from.Get("fsname").As<Napi::String>().Utf8Value();
  options.workers = from.Get("workers").As<Napi::Number>().Uint32Value();
  options.handoffBytesMax =
      static_cast<uint64_t>(from.Get("handoffBytesMax").As<Napi::Number>().DoubleValue());
  options.writebackCache = from.Get("writebackCache").As<Napi::Boolean>().Value();
  options.timesDelayMs = from.Get("timesDelayMs").As<Napi::Number>().Uint32Value();
  return options;
}

SessionBinding::SessionBinding(const Napi::CallbackInfo& info)
    : ObjectWrap(info), context_(info.Env(), "twinfs") {
  wake_ = Napi::Persistent(info[1].As<Napi::Function>());
  notice_ = Napi::Persistent(info[2].As<Napi::Function>());
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(info.Env(), &loop);
  async_ = new Async{{}, this, nullptr};
  uv_async_init(loop, &async_->handle, OnAsync);
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_->handle));
  napi_add_async_cleanup_hook(info.Env(), OnEnvironmentEnd, async_, &async_->hook);
  session_ = new Session(
      ReadOptions(info[0].As<Napi::Object>()),
      [](void* async) { uv_async_send(&static_cast<Async*>(async)->handle); }, async_);
}

SessionBinding::~SessionBinding() {
  // A mounted session outlives its object (the process is about to end): its threads still use it.
  CloseAsync();
  if (!mounted_) delete session_;
}

void SessionBinding::CloseAsync() {
  if (async_ == nullptr) return;
  async_->owner = nullptr;
  // While mounted, workers may still signal the handle: it stays, unreferenced, for the process's
  // last moments.
  if (!mounted_) {
    uv_close(reinterpret_cast<uv_handle_t*>(&async_->handle), [](uv_handle_t* handle) {
      Async* async = reinterpret_cast<Async*>(handle);
      napi_remove_async_cleanup_hook(async->hook);
      delete async;
    });
  }
  async_ = nullptr;
}

void SessionBinding::OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data) {
  auto* async = static_cast<Async*>(data);
  if (async->owner != nullptr && !async->owner->mounted_) {
    async->owner->CloseAsync();
    return;
  }
  if (async->owner != nullptr) async->owner->CloseAsync();
  napi_remove_async_cleanup_hook(hook);
}

void SessionBinding::OnAsync(uv_async_t* handle) {
  SessionBinding* owner = reinterpret_cast<Async*>(handle)->owner;
  if (owner != nullptr) owner->Awake();
}

// A mounted session keeps itself and the event loop alive.
void SessionBinding::SetMounted(bool mounted) {
  if (mounted == mounted_) return;
  mounted_ = mounted;
  auto* handle = reinterpret_cast<uv_handle_t*>(&async_->handle);
  if (mounted) {
    Ref();
    uv_ref(handle);
  } else {
    uv_unref(handle);
    Unref();
  }
}

// What a callback throws is the program's end, as from any other event.
void SessionBinding::Call(const Napi::FunctionReference& callback,
                          const std::vector<napi_value>& arguments) {
  Napi::Env env = Env();
  callback.MakeCallback(env.Global(), arguments, context_);
  if (env.IsExceptionPending()) {
    Napi::Error error = env.GetAndClearPendingException();
    napi_fatal_exception(env, error.Value());
  }
}

void SessionBinding::Awake() {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  // Looked at before the records are handed over: what is told afterwards, they came before.
  bool quiet = IsQuiet();
  std::vector<Notice> notices = session_->TakeNotices();
  Call(wake_, {});
  if (quiet) SettleQuiesce();
  for (const Notice& notice : notices) {
    const char* name = notice.what == Notice::What::gate    ? "gate"
                       : notice.what == Notice::What::ended ? "ended"
                                                            : "sync-failed";
    Call(notice_, {Napi::String::New(env, name), Napi::Number::New(env, notice.errnum)});
    if (notice.what != Notice::What::ended) continue;
    session_->CloseDevices();
    SetMounted(false);
  }
}

bool SessionBinding::IsQuiet() {
  if (quiescing_.empty() || !session_->gate.IsEmpty()) return false;
  // Changes that were under way when the flush was asked for have touched times since.
  if (std::exchange(timesFlushWanted_, false)) session_->times.Flush();
  return session_->times.Flushed();
}

void SessionBinding::SettleQuiesce() {
  Napi::Env env = Env();
  Napi::CallbackScope scope(env, context_);
  for (const Napi::Promise::Deferred& deferred : std::exchange(quiescing_, {})) {
    deferred.Resolve(env.Undefined());
  }
}

Napi::Value SessionBinding::Mount(const Napi::CallbackInfo& info) {
  SetMounted(true);
  auto* job = new MountJob(info.Env(), session_, MountJob::Kind::mount,
                           [this](int errnum) { if (errnum != 0) SetMounted(false); });
  job->Queue();
  return job->Promise();
}

Napi::Value SessionBinding::Unmount(const Napi::CallbackInfo& info) {
  bool lazy = info[0].As<Napi::Boolean>().Value();
  auto kind = lazy ? MountJob::Kind::unmountLazy : MountJob::Kind::unmount;
  Ref();
  auto* job = new MountJob(info.Env(), session_, kind, [this](int) { Unref(); });
  job->Queue();
  return job->Promise();
}

Napi::Function SessionBinding::Define(Napi::Env env) {
  using S = SessionBinding;
  return DefineClass(env, "Session", {
      InstanceMethod<&S::Mount>("mount"),
      InstanceMethod<&S::Unmount>("unmount"),
      InstanceMethod<&S::SetGate>("setGate"),
      InstanceMethod<&S::SetReadOnly>("setReadOnly"),
      InstanceMethod<&S::Quiesce>("quiesce"),
      InstanceMethod<&S::SetStream>("setStream"),
      InstanceMethod<&S::SetAnswer>("setAnswer"),
      InstanceMethod<&S::Drain>("drain"),
      InstanceMethod<&S::Complete>("complete"),
      InstanceMethod<&S::Credit>("credit"),
      InstanceMethod<&S::TakeMarks>("takeMarks"),
      InstanceMethod<&S::AddMark>("addMark"),
      InstanceMethod<&S::PathOf>("pathOf"),
      InstanceMethod<&S::FlushTimes>("flushTimes"),
      InstanceMethod<&S::SetPeerSpace>("setPeerSpace"),
      InstanceMethod<&S::ClearPeerSpace>("clearPeerSpace"),
      InstanceMethod<&S::Counters>("counters"),
  });
}

void InitSession(Napi::Env env, Napi::Object exports) {
  exports.Set("Session", SessionBinding::Define(env));
}

}  // namespace twinfs
