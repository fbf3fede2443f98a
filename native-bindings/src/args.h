// Arguments from JavaScript. They are checked on the TypeScript side; a wrong type here is a bug of
// ours and ends the process before it can harm a copy.
#pragma once
#include <napi.h>
#include <stdint.h>

#include <string>
#include <string_view>

namespace twinfs::disk {

// The calls inside are made in release builds as well: never the argument of an assert().
inline void ArgCheck(napi_status status, const char* what) {
  if (status != napi_ok) Napi::Error::Fatal("twinfs native argument", what);
}

inline int64_t Int64Arg(const Napi::CallbackInfo& info, size_t index) {
  int64_t value = 0;
  ArgCheck(napi_get_value_int64(info.Env(), info[index], &value), "number expected");
  return value;
}

inline int IntArg(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<int>(Int64Arg(info, index));
}

inline bool BoolArg(const Napi::CallbackInfo& info, size_t index) {
  bool value = false;
  ArgCheck(napi_get_value_bool(info.Env(), info[index], &value), "boolean expected");
  return value;
}

// The bytes of a Buffer, valid while the call runs.
inline std::string_view BytesOf(Napi::Env env, napi_value value) {
  void* data = nullptr;
  size_t size = 0;
  ArgCheck(napi_get_buffer_info(env, value, &data, &size), "Buffer expected");
  return {static_cast<const char*>(data), size};
}

inline std::string_view BytesArg(const Napi::CallbackInfo& info, size_t index) {
  return BytesOf(info.Env(), info[index]);
}

// The same, NUL-terminated and owned.
inline std::string PathArg(const Napi::CallbackInfo& info, size_t index) {
  return std::string(BytesArg(info, index));
}

inline int64_t BigIntOf(Napi::Env env, napi_value value) {
  int64_t number = 0;
  bool lossless = false;
  ArgCheck(napi_get_value_bigint_int64(env, value, &number, &lossless), "bigint expected");
  return number;
}

inline Napi::Buffer<char> CopyToBuffer(Napi::Env env, std::string_view bytes) {
  return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
}

}  // namespace twinfs::disk
