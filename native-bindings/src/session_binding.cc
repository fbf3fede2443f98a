// `Session` for JavaScript (typed in src/io/native.ts). All methods run on the event loop; the workers reach
// it through one uv_async handle, which also coalesces their wake-ups.
#include <napi.h>
#include <uv.h>

#include "errors.h"
#include "exports.h"
#include "session.h"

namespace twinfs {

namespace {

// mount(2) or umount(2) in the thread pool.
class MountJob : public Napi::AsyncWorker {
 public:
  enum class Kind { mount, unmount, unmountLazy };
  MountJob(Napi::Env env, Session* session, Kind kind, Napi::Object keepAlive)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        session_(session),
        kind_(kind),
        keepAlive_(Napi::Persistent(keepAlive)) {}
  Napi::Promise promise() { return deferred_.Promise(); }

 protected:
  void Execute() override {
    call_ = "umount2";
    errnum_ = kind_ == Kind::mount ? session_->mount(&call_)
                                   : session_->unmount(kind_ == Kind::unmountLazy);
  }
  void OnOK() override {
    Napi::HandleScope scope(Env());
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
  Napi::ObjectReference keepAlive_;
  int errnum_ = 0;
  const char* call_ = "";
};

double toNumber(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().DoubleValue();
}

}  // namespace

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

static SessionOptions readOptions(const Napi::Object& from) {
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
  uv_async_init(loop, &async_->handle, onAsync);
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_->handle));
  napi_add_async_cleanup_hook(info.Env(), onEnvironmentEnd, async_, &async_->hook);
  session_ = new Session(
      readOptions(info[0].As<Napi::Object>()),
      [](void* async) { uv_async_send(&static_cast<Async*>(async)->handle); }, async_);
}

SessionBinding::~SessionBinding() {
  // A mounted session outlives its object (the process is about to end): its threads still use it.
  closeAsync();
  if (!mounted_) delete session_;
}

void SessionBinding::closeAsync() {
  if (async_ == nullptr) return;
  async_->owner = nullptr;
  // While mounted, workers may still signal the handle: it stays, unreferenced, for the process's last moments.
  if (!mounted_) {
    uv_close(reinterpret_cast<uv_handle_t*>(&async_->handle), [](uv_handle_t* handle) {
      Async* async = reinterpret_cast<Async*>(handle);
      napi_remove_async_cleanup_hook(async->hook);
      delete async;
    });
  }
  async_ = nullptr;
}

void SessionBinding::onEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data) {
  auto* async = static_cast<Async*>(data);
  if (async->owner != nullptr && !async->owner->mounted_) {
    async->owner->closeAsync();
    return;
  }
  if (async->owner != nullptr) async->owner->closeAsync();
  napi_remove_async_cleanup_hook(hook);
}

void SessionBinding::onAsync(uv_async_t* handle) {
  SessionBinding* owner = reinterpret_cast<Async*>(handle)->owner;
  if (owner != nullptr) owner->awake();
}

// What a callback throws is the program's end, as from any other event.
void SessionBinding::call(const Napi::FunctionReference& callback,
                          const std::vector<napi_value>& arguments) {
  Napi::Env env = Env();
  callback.MakeCallback(env.Global(), arguments, context_);
  if (env.IsExceptionPending()) {
    Napi::Error error = env.GetAndClearPendingException();
    napi_fatal_exception(env, error.Value());
  }
}

void SessionBinding::awake() {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  // Looked at before the records are handed over: what is told afterwards, they came before.
  bool quiet = isQuiet();
  std::vector<Notice> notices = session_->takeNotices();
  call(wake_, {});
  if (quiet) settleQuiesce();
  for (const Notice& notice : notices) {
    const char* name = notice.what == Notice::What::gate    ? "gate"
                       : notice.what == Notice::What::ended ? "ended"
                                                            : "sync-failed";
    if (notice.what == Notice::What::ended) {
      mounted_ = false;
      uv_unref(reinterpret_cast<uv_handle_t*>(&async_->handle));
    }
    call(notice_, {Napi::String::New(env, name), Napi::Number::New(env, notice.errnum)});
  }
}

bool SessionBinding::isQuiet() {
  if (quiescing_.empty() || !session_->gate.isEmpty()) return false;
  // Changes that were under way when the flush was asked for have touched times since.
  if (std::exchange(timesFlushWanted_, false)) session_->times.flush();
  return session_->times.flushed();
}

void SessionBinding::settleQuiesce() {
  Napi::Env env = Env();
  Napi::CallbackScope scope(env, context_);
  for (const Napi::Promise::Deferred& deferred : std::exchange(quiescing_, {})) {
    deferred.Resolve(env.Undefined());
  }
}

Napi::Value SessionBinding::mount(const Napi::CallbackInfo& info) {
  mounted_ = true;
  uv_ref(reinterpret_cast<uv_handle_t*>(&async_->handle));
  auto* job = new MountJob(info.Env(), session_, MountJob::Kind::mount, Value());
  job->Queue();
  return job->promise();
}

Napi::Value SessionBinding::unmount(const Napi::CallbackInfo& info) {
  bool lazy = info[0].As<Napi::Boolean>().Value();
  auto kind = lazy ? MountJob::Kind::unmountLazy : MountJob::Kind::unmount;
  auto* job = new MountJob(info.Env(), session_, kind, Value());
  job->Queue();
  return job->promise();
}

void SessionBinding::setGate(const Napi::CallbackInfo& info) {
  session_->setGate(info[0].As<Napi::Boolean>().Value());
}

void SessionBinding::setReadOnly(const Napi::CallbackInfo& info) {
  session_->setReadOnly(info[0].As<Napi::Boolean>().Value());
}

Napi::Value SessionBinding::quiesce(const Napi::CallbackInfo& info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  quiescing_.push_back(deferred);
  // Settled on the event loop in any case, so that records before it are handed over first.
  session_->signal();
  return deferred.Promise();
}

void SessionBinding::setStream(const Napi::CallbackInfo& info) {
  session_->setStream(static_cast<StreamState>(info[0].As<Napi::Number>().Uint32Value()));
}

void SessionBinding::setAnswer(const Napi::CallbackInfo& info) {
  AnswerRule rule;
  rule.byStream = info[0].As<Napi::Boolean>().Value();
  rule.syncData = info[1].As<Napi::Boolean>().Value();
  session_->setAnswer(rule);
}

// The payload itself becomes the Buffer's memory; when JavaScript is done with it, it goes back.
static Napi::Value wrapLarge(Napi::Env env, Session* session, const LargePayload& payload) {
  struct Hint {
    Session* session;
    LargePayload payload;
  };
  auto* hint = new Hint{session, payload};
  return Napi::Buffer<uint8_t>::New(
      env, const_cast<uint8_t*>(payload.data), payload.bytes,
      [](Napi::Env, uint8_t*, Hint* done) {
        if (done->payload.pooled != nullptr) done->session->buffers.give(done->payload.pooled);
        delete[] done->payload.owned;
        delete done;
      },
      hint);
}

Napi::Value SessionBinding::drain(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  {
    std::lock_guard lock(session_->stream.mutex);
    if (!session_->stream.handoff.take(batch_)) return env.Null();
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("records", Napi::Buffer<uint8_t>::Copy(env, batch_.records.data(), batch_.records.size()));
  Napi::Array large = Napi::Array::New(env, batch_.large.size());
  for (uint32_t i = 0; i < batch_.large.size(); i++) {
    large.Set(i, wrapLarge(env, session_, batch_.large[i]));
  }
  result.Set("large", large);
  return result;
}

void SessionBinding::complete(const Napi::CallbackInfo& info) {
  auto tokens = info[0].As<Napi::Array>();
  int errnum = info[1].As<Napi::Number>().Int32Value();
  uint32_t count = tokens.Length();
  for (uint32_t i = 0; i < count; i++) {
    Napi::HandleScope scope(info.Env());
    double token = static_cast<Napi::Value>(tokens[i]).As<Napi::Number>().DoubleValue();
    session_->pending.finish(token, kWaitStream, errnum);
  }
}

void SessionBinding::credit(const Napi::CallbackInfo& info) {
  session_->credit(static_cast<uint64_t>(toNumber(info, 0)));
}

Napi::Value SessionBinding::takeMarks(const Napi::CallbackInfo& info) {
  auto marks = session_->takeMarks();
  auto result = Napi::Float64Array::New(info.Env(), marks.size() * 2);
  for (size_t i = 0; i < marks.size(); i++) {
    result[2 * i] = static_cast<double>(marks[i].first->id);
    result[2 * i + 1] = marks[i].second;
  }
  return result;
}

void SessionBinding::addMark(const Napi::CallbackInfo& info) {
  session_->addMark(static_cast<uint64_t>(toNumber(info, 0)),
                    static_cast<uint8_t>(info[1].As<Napi::Number>().Uint32Value()));
}

Napi::Value SessionBinding::pathOf(const Napi::CallbackInfo& info) {
  std::string path;
  if (!session_->pathOf(static_cast<uint64_t>(toNumber(info, 0)), &path)) return info.Env().Null();
  return Napi::Buffer<char>::Copy(info.Env(), path.data(), path.size());
}

void SessionBinding::flushTimes(const Napi::CallbackInfo&) {
  timesFlushWanted_ = true;
  session_->times.flush();
}

void SessionBinding::setPeerSpace(const Napi::CallbackInfo& info) {
  PeerSpace space = {static_cast<uint64_t>(toNumber(info, 0)),
                     static_cast<uint64_t>(toNumber(info, 1)),
                     static_cast<uint64_t>(toNumber(info, 2))};
  session_->setPeerSpace(&space);
}

void SessionBinding::clearPeerSpace(const Napi::CallbackInfo&) { session_->setPeerSpace(nullptr); }

Napi::Value SessionBinding::counters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t value) {
    result.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("requests", session_->requests.load());
  set("changes", session_->stream.changes());
  set("inodes", session_->nodes.size());
  set("descriptors", session_->nodes.descriptors());
  set("handoffBytes", session_->stream.handoff.bytes());
  set("pendingAnswers", session_->pending.count());
  return result;
}

Napi::Function SessionBinding::define(Napi::Env env) {
  using S = SessionBinding;
  return DefineClass(env, "Session", {
      InstanceMethod<&S::mount>("mount"), InstanceMethod<&S::unmount>("unmount"),
      InstanceMethod<&S::setGate>("setGate"), InstanceMethod<&S::setReadOnly>("setReadOnly"), InstanceMethod<&S::quiesce>("quiesce"),
      InstanceMethod<&S::setStream>("setStream"), InstanceMethod<&S::setAnswer>("setAnswer"),
      InstanceMethod<&S::drain>("drain"), InstanceMethod<&S::complete>("complete"),
      InstanceMethod<&S::credit>("credit"), InstanceMethod<&S::takeMarks>("takeMarks"),
      InstanceMethod<&S::addMark>("addMark"), InstanceMethod<&S::pathOf>("pathOf"),
      InstanceMethod<&S::flushTimes>("flushTimes"),
      InstanceMethod<&S::setPeerSpace>("setPeerSpace"),
      InstanceMethod<&S::clearPeerSpace>("clearPeerSpace"),
      InstanceMethod<&S::counters>("counters"),
  });
}

void InitSession(Napi::Env env, Napi::Object exports) {
  exports.Set("Session", SessionBinding::define(env));
}

}  // namespace twinfs
