#include "protocol/cobs.h"

namespace squeeze::link {

void CobsDecoder::Reset() {
  remaining_ = 0;
  zero_pending_ = false;
}

int CobsDecoder::Push(uint8_t byte) {
  if (remaining_ > 0) {
    --remaining_;
    return byte;
  }
  // A code: the block before it ended, with its zero unless it was a full one.
  const bool zero = zero_pending_;
  remaining_ = static_cast<uint8_t>(byte - 1);
  zero_pending_ = byte != 0xFF;
  return zero ? 0 : kNothing;
}

void CobsEncoder::Reset() {
  used_ = 1;
  ready_ = 0;
  after_full_ = false;
}

bool CobsEncoder::Push(uint8_t byte) {
  after_full_ = false;
  if (byte == 0) return Close();
  block_[used_++] = byte;
  if (used_ < kMaxBlock) return false;
  after_full_ = true;
  return Close();
}

bool CobsEncoder::Finish() {
  // Right after a full block nothing is left to say: a block more would only
  // cost a byte.
  return after_full_ ? false : Close();
}

bool CobsEncoder::Close() {
  block_[0] = static_cast<uint8_t>(used_);
  ready_ = used_;
  used_ = 1;
  return true;
}

}  // namespace squeeze::link
