// See kernel_version.h.
#include "kernel_version.h"

#include <cstdio>

namespace twinfs {

bool DirectWritesAreCoherent(const char* release) {
  int major = 0;
  int minor = 0;
  int patch = 0;
  if (std::sscanf(release, "%d.%d.%d", &major, &minor, &patch) < 2) return false;
  if (major != 6) return major > 6;
  switch (minor) {
    case 6: return patch >= 120;
    case 12: return patch >= 64;
    case 18: return patch >= 3;
    default: return minor >= 19;
  }
}

}  // namespace twinfs
