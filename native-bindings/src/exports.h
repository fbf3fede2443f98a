// One init function per area; each adds its functions or class to `exports` (typed in
// src/io/native.ts).
#pragma once
#include <napi.h>

namespace twinfs {
void InitSession(Napi::Env env, Napi::Object exports);   // session*.cc: the FUSE session
// applier*.cc: ops of the stream → this disk
void InitApplier(Napi::Env env, Napi::Object exports);
void InitSyscalls(Napi::Env env, Napi::Object exports);  // syscalls.cc: calls Node lacks
void InitTree(Napi::Env env, Napi::Object exports);      // tree*.cc: calls on paths below a root
}  // namespace twinfs
