// Errno values as JavaScript errors.
#include "errors.h"

#include <string.h>

#include <string>

namespace twinfs::disk {

Napi::Error MakeErrnoError(Napi::Env env, int err, const char* syscall) {
  const char* name = strerrorname_np(err);
  const std::string code = name != nullptr ? name : "E" + std::to_string(err);
  const char* text = strerrordesc_np(err);
  const std::string message =
      code + ": " + (text != nullptr ? text : "unknown error") + ", " + syscall;
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  error.Set("errno", Napi::Number::New(env, err));
  error.Set("syscall", Napi::String::New(env, syscall));
  return error;
}

void ThrowErrno(Napi::Env env, int err, const char* syscall) {
  MakeErrnoError(env, err, syscall).ThrowAsJavaScriptException();
}

}  // namespace twinfs::disk
