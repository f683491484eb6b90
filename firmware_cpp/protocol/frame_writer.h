// Writes one frame, field by field, through a function that sends bytes: one
// block of COBS is all the memory it takes.
#ifndef PROTOCOL_FRAME_WRITER_H_
#define PROTOCOL_FRAME_WRITER_H_

#include <stddef.h>
#include <stdint.h>

#include "protocol/cobs.h"

namespace squeeze::link {

class FrameWriter {
 public:
  // Sends `size` bytes, and blocks until they are accepted.
  using Write = void (*)(void* context, const uint8_t* data, size_t size);

  void Init(Write write, void* context);

  // Begin, any number of fields, End. The caller keeps the payload within
  // kMaxPayload.
  void Begin(uint8_t type, uint16_t sequence);
  void U8(uint8_t value);
  void U16(uint16_t value);
  void U32(uint32_t value);
  void U64(uint64_t value);
  void Bytes(const uint8_t* data, size_t size);
  void End();

 private:
  void Encode(const uint8_t* data, size_t size);

  Write write_ = nullptr;
  void* context_ = nullptr;
  CobsEncoder encoder_;
  uint32_t crc_ = 0;
};

}  // namespace squeeze::link

#endif  // PROTOCOL_FRAME_WRITER_H_
