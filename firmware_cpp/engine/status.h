// What every public call of the engine returns.
#ifndef SQUEEZE_ENGINE_STATUS_H_
#define SQUEEZE_ENGINE_STATUS_H_

#include <stdint.h>

namespace squeeze {

// Numbers are part of the link protocol and of the C API: add at the end.
enum class Status : uint8_t {
  kOk = 0,
  kMisaligned = 1,     // the blob is not 4-byte aligned, or the arena or (in C) the engine not 8-byte
  kTruncated = 2,      // fewer bytes than the header says
  kBadMagic = 3,       // not an engine model
  kBadVersion = 4,     // written by another version of the converter
  kBadChecksum = 5,    // the CRC-32 does not match: damaged
  kBadOffset = 6,      // a piece lies outside the blob, the arena, or overlaps its end
  kBadLayer = 7,       // a layer's fields contradict each other or its buffers
  kBadOrder = 8,       // layers are not in execution order
  kArenaTooSmall = 9,  // give at least ArenaBytes()
  kNotReady = 10,      // Init has not succeeded
  kTooManyRows = 11,   // the image is complete: Reset first
  kIncomplete = 12,    // all rows are in but the results are not: the plan is inconsistent
  kNoKernel = 13,      // a layer wants a kernel that is not in this build: made for another CPU
  kNull = 14,          // a pointer that the call needs is null
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_STATUS_H_
