// What TypeScript asks of a session, method by method: argument conversion and one call each.
#include "session_binding.h"

namespace twinfs {

static double ToNumber(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().DoubleValue();
}

void SessionBinding::SetGate(const Napi::CallbackInfo& info) {
  session_->SetGate(info[0].As<Napi::Boolean>().Value());
}

void SessionBinding::SetReadOnly(const Napi::CallbackInfo& info) {
  session_->SetReadOnly(info[0].As<Napi::Boolean>().Value());
}

Napi::Value SessionBinding::Quiesce(const Napi::CallbackInfo& info) {
  auto deferred = Napi::Promise::Deferred::New(info.Env());
  quiescing_.push_back(deferred);
  // Settled on the event loop in any case, so that records before it are handed over first.
  session_->Wake();
  return deferred.Promise();
}

void SessionBinding::SetStream(const Napi::CallbackInfo& info) {
  session_->SetStream(static_cast<StreamState>(info[0].As<Napi::Number>().Uint32Value()));
}

void SessionBinding::SetAnswer(const Napi::CallbackInfo& info) {
  AnswerRule rule;
  rule.byStream = info[0].As<Napi::Boolean>().Value();
  rule.syncData = info[1].As<Napi::Boolean>().Value();
  session_->SetAnswer(rule);
}

// The payload itself becomes the Buffer's memory; when JavaScript is done with it, it goes back.
static Napi::Value WrapLarge(Napi::Env env, const std::shared_ptr<BufferPool>& pool,
                             const LargePayload& payload) {
  struct Hint {
    std::shared_ptr<BufferPool> pool;
    LargePayload payload;
  };
  auto* hint = new Hint{pool, payload};
  return Napi::Buffer<uint8_t>::New(
      env, const_cast<uint8_t*>(payload.data), payload.bytes,
      [](Napi::Env, uint8_t*, Hint* done) {
        if (done->payload.pooled != nullptr) done->pool->Give(done->payload.pooled);
        delete[] done->payload.owned;
        delete done;
      },
      hint);
}

Napi::Value SessionBinding::Drain(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  {
    std::lock_guard lock(session_->stream.mutex);
    if (!session_->stream.handoff.Take(batch_)) return env.Null();
  }
  Napi::Object result = Napi::Object::New(env);
  const std::vector<uint8_t>& records = batch_.records;
  result.Set("records", Napi::Buffer<uint8_t>::Copy(env, records.data(), records.size()));
  Napi::Array large = Napi::Array::New(env, batch_.large.size());
  for (uint32_t i = 0; i < batch_.large.size(); i++) {
    large.Set(i, WrapLarge(env, session_->pool, batch_.large[i]));
  }
  result.Set("large", large);
  return result;
}

void SessionBinding::Complete(const Napi::CallbackInfo& info) {
  auto tokens = info[0].As<Napi::Array>();
  int errnum = info[1].As<Napi::Number>().Int32Value();
  uint32_t count = tokens.Length();
  for (uint32_t i = 0; i < count; i++) {
    Napi::HandleScope scope(info.Env());
    double token = static_cast<Napi::Value>(tokens[i]).As<Napi::Number>().DoubleValue();
    session_->pending.Finish(token, kWaitStream, errnum);
  }
}

void SessionBinding::Credit(const Napi::CallbackInfo& info) {
  session_->Credit(static_cast<uint64_t>(ToNumber(info, 0)));
}

Napi::Value SessionBinding::TakeMarks(const Napi::CallbackInfo& info) {
  auto marks = session_->TakeMarks();
  auto result = Napi::Float64Array::New(info.Env(), marks.size() * 2);
  for (size_t i = 0; i < marks.size(); i++) {
    result[2 * i] = static_cast<double>(marks[i].first->id);
    result[2 * i + 1] = marks[i].second;
  }
  return result;
}

void SessionBinding::AddMark(const Napi::CallbackInfo& info) {
  session_->AddMark(static_cast<uint64_t>(ToNumber(info, 0)),
                    static_cast<uint8_t>(info[1].As<Napi::Number>().Uint32Value()));
}

Napi::Value SessionBinding::PathOf(const Napi::CallbackInfo& info) {
  std::string path;
  if (!session_->PathOf(static_cast<uint64_t>(ToNumber(info, 0)), &path)) return info.Env().Null();
  return Napi::Buffer<char>::Copy(info.Env(), path.data(), path.size());
}

void SessionBinding::FlushTimes(const Napi::CallbackInfo&) {
  timesFlushWanted_ = true;
  session_->times.Flush();
}

void SessionBinding::SetPeerSpace(const Napi::CallbackInfo& info) {
  PeerSpace space = {static_cast<uint64_t>(ToNumber(info, 0)),
                     static_cast<uint64_t>(ToNumber(info, 1)),
                     static_cast<uint64_t>(ToNumber(info, 2))};
  session_->SetPeerSpace(&space);
}

void SessionBinding::ClearPeerSpace(const Napi::CallbackInfo&) { session_->SetPeerSpace(nullptr); }

Napi::Value SessionBinding::Counters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t value) {
    result.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("requests", session_->requests.load());
  set("changes", session_->stream.Changes());
  set("inodes", session_->nodes.Size());
  set("descriptors", session_->nodes.Descriptors());
  set("handoffBytes", session_->stream.handoff.Bytes());
  set("pendingAnswers", session_->pending.Count());
  return result;
}

}  // namespace twinfs
