// Errno values as JavaScript errors: `code` ("ENOENT"), `errno` (positive) and `syscall`.
#pragma once
#include <napi.h>

namespace twinfs::disk {

Napi::Error MakeErrnoError(Napi::Env env, int err, const char* syscall);

// Makes the exception pending; the caller returns at once.
void ThrowErrno(Napi::Env env, int err, const char* syscall);

}  // namespace twinfs::disk
