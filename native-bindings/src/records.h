// The record layout of `drain` in src/io/native.ts, from the C++ side.
#pragma once
#include <cstdint>

namespace twinfs {

// Numbers of Op.Kind in twinfs.proto.
enum RecordKind : uint8_t {
  kBind = 1,
  kForget = 2,
  kWrite = 3,
  kTruncate = 4,
  kFallocate = 5,
  kCopyRange = 6,
  kCreate = 7,
  kLink = 8,
  kUnlink = 9,
  kRename = 10,
  kSetattr = 11,
  kTimes = 12,
  kSetxattr = 13,
  kRemovexattr = 14,
  kFsync = 15,
};

constexpr uint8_t kFlagLarge = 1;
constexpr uint8_t kFlagKillPriv = 2;
constexpr uint8_t kFlagDirectory = 4;
constexpr uint8_t kFlagDataOnly = 8;
constexpr uint8_t kFlagAtime = 16;

struct Record {
  uint32_t size = 0;
  uint8_t kind = 0;
  uint8_t flags = 0;
  uint16_t nameBytes = 0;
  double token = 0;
  double ref = 0;
  double parent = 0;
  double a = 0;
  double b = 0;
  uint32_t c = 0;
  uint32_t d = 0;
  uint32_t e = 0;
  uint32_t f = 0;
  int64_t g = 0;
  int64_t h = 0;
  double parent2 = 0;
  uint32_t name2Bytes = 0;
  uint32_t dataBytes = 0;
};
static_assert(sizeof(Record) == 96);

// Payloads from here on travel beside the records (LARGE_PAYLOAD_BYTES in limits.ts).
constexpr uint32_t kLargePayloadBytes = 64 * 1024;

}  // namespace twinfs
