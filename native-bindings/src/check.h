// Assertions of the engine. They stay on: a broken count or lock here ends the process at once,
// before memory that was given back by mistake can harm data or a copy.
#pragma once
#include <cstdio>

namespace twinfs {

// `what` says what should have been true.
inline void Check(bool holds, const char* what) {
  if (holds) [[likely]] return;
  std::fprintf(stderr, "twinfs: engine assertion failed: %s\n", what);
  __builtin_trap();
}

}  // namespace twinfs
