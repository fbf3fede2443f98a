// What cannot be negotiated with the kernel and follows from its version only.
#pragma once

namespace twinfs {

// Whether a write past the page cache (FOPEN_DIRECT_IO) leaves nothing stale in it. Until "fuse:
// Invalidate the page cache after FOPEN_DIRECT_IO write" (6.19, and in the stable series since
// 6.18.3, 6.12.64 and 6.6.120) a reader could fill the cache between the invalidation and the
// write, and see old data from then on.
bool DirectWritesAreCoherent(const char* release);

}  // namespace twinfs
