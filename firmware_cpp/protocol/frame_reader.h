// Finds the intact frames in a stream of received bytes, whatever else is in
// it.
#ifndef PROTOCOL_FRAME_READER_H_
#define PROTOCOL_FRAME_READER_H_

#include <stddef.h>
#include <stdint.h>

#include "protocol/cobs.h"
#include "protocol/wire.h"

namespace squeeze::link {

class FrameReader {
 public:
  // Takes the next received byte. True: it completed a frame whose CRC is
  // right, to be read below until the next call. A damaged, too long or too
  // short frame is dropped silently: its sender cannot be known.
  bool Push(uint8_t byte);

  uint8_t type() const { return body_[0]; }
  uint16_t sequence() const;
  const uint8_t* payload() const { return body_ + kHeaderSize; }
  size_t payload_size() const { return payload_size_; }

  // Since the program started: frames that were dropped, and intact ones.
  uint32_t damaged() const { return damaged_; }
  uint32_t intact() const { return intact_; }

 private:
  bool Finish();

  CobsDecoder decoder_;
  uint8_t body_[kMaxBody] = {};
  size_t size_ = 0;
  size_t payload_size_ = 0;
  uint32_t damaged_ = 0;
  uint32_t intact_ = 0;
  bool overflow_ = false;
};

}  // namespace squeeze::link

#endif  // PROTOCOL_FRAME_READER_H_
