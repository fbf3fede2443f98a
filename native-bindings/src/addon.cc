// Table of contents of the addon: registers what the other files export, nothing else.
#include <napi.h>

#include "exports.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  twinfs::InitSession(env, exports);
  twinfs::InitApplier(env, exports);
  twinfs::InitSyscalls(env, exports);
  twinfs::InitTree(env, exports);
  return exports;
}

NODE_API_MODULE(twinfs, Init)
