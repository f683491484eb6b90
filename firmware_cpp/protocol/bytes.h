// Little-endian numbers in byte buffers, whatever their alignment.
#ifndef PROTOCOL_BYTES_H_
#define PROTOCOL_BYTES_H_

#include <stdint.h>

namespace squeeze::link {

inline uint16_t LoadU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | (p[1] << 8)); }

inline uint32_t LoadU32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) | (static_cast<uint32_t>(p[1]) << 8) |
         (static_cast<uint32_t>(p[2]) << 16) | (static_cast<uint32_t>(p[3]) << 24);
}

}  // namespace squeeze::link

#endif  // PROTOCOL_BYTES_H_
