// CRC-32 as in zlib, Ethernet and PNG: polynomial 0x04C11DB7 reflected,
// starting from all ones, inverted at the end.
#ifndef SQUEEZE_ENGINE_CRC32_H_
#define SQUEEZE_ENGINE_CRC32_H_

#include <stddef.h>
#include <stdint.h>

namespace squeeze {

// Continues `crc` (0 to start) over `size` bytes, as zlib's crc32() does.
uint32_t Crc32(uint32_t crc, const uint8_t* data, size_t size);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CRC32_H_
