#include "protocol/frame_reader.h"

#include "engine/crc32.h"
#include "protocol/bytes.h"

namespace squeeze::link {

bool FrameReader::Push(uint8_t byte) {
  if (byte == 0) {
    const bool intact = Finish();
    // Two delimiters in a row are no frame.
    if (intact) {
      ++intact_;
    } else if (size_ > 0 || !decoder_.Complete()) {
      ++damaged_;
    }
    decoder_.Reset();
    size_ = 0;
    overflow_ = false;
    return intact;
  }
  const int decoded = decoder_.Push(byte);
  if (decoded == CobsDecoder::kNothing) return false;
  if (size_ == kMaxBody) {
    overflow_ = true;  // dropped as a whole, at its end
    return false;
  }
  body_[size_++] = static_cast<uint8_t>(decoded);
  return false;
}

uint16_t FrameReader::sequence() const { return LoadU16(body_ + 1); }

bool FrameReader::Finish() {
  if (overflow_ || !decoder_.Complete()) return false;
  if (size_ < kHeaderSize + kCrcSize) return false;
  const size_t covered = size_ - kCrcSize;
  if (Crc32(0, body_, covered) != LoadU32(body_ + covered)) return false;
  payload_size_ = covered - kHeaderSize;
  return true;
}

}  // namespace squeeze::link
