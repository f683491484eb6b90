#include "protocol/frame_writer.h"

#include "engine/crc32.h"

namespace squeeze::link {
namespace {

constexpr uint8_t kDelimiter = 0;

}  // namespace

void FrameWriter::Init(Write write, void* context) {
  write_ = write;
  context_ = context;
}

void FrameWriter::Begin(uint8_t type, uint16_t sequence) {
  write_(context_, &kDelimiter, 1);
  encoder_.Reset();
  crc_ = 0;
  U8(type);
  U16(sequence);
}

void FrameWriter::U8(uint8_t value) { Bytes(&value, 1); }

void FrameWriter::U16(uint16_t value) {
  U8(static_cast<uint8_t>(value));
  U8(static_cast<uint8_t>(value >> 8));
}

void FrameWriter::U32(uint32_t value) {
  U16(static_cast<uint16_t>(value));
  U16(static_cast<uint16_t>(value >> 16));
}

void FrameWriter::U64(uint64_t value) {
  U32(static_cast<uint32_t>(value));
  U32(static_cast<uint32_t>(value >> 32));
}

void FrameWriter::Bytes(const uint8_t* data, size_t size) {
  crc_ = Crc32(crc_, data, size);
  Encode(data, size);
}

void FrameWriter::End() {
  U32(crc_);
  if (encoder_.Finish()) write_(context_, encoder_.block(), encoder_.size());
  write_(context_, &kDelimiter, 1);
}

void FrameWriter::Encode(const uint8_t* data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (encoder_.Push(data[i])) {
      write_(context_, encoder_.block(), encoder_.size());
    }
  }
}

}  // namespace squeeze::link
