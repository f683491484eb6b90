// Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): any bytes
// become bytes without 0x00, which is then free to mark the ends of frames.
// Both directions work byte by byte, so that neither needs a second buffer.
#ifndef PROTOCOL_COBS_H_
#define PROTOCOL_COBS_H_

#include <stddef.h>
#include <stdint.h>

namespace squeeze::link {

class CobsDecoder {
 public:
  static constexpr int kNothing = -1;

  // Forgets everything: the next byte is a frame's first.
  void Reset();

  // Takes the next encoded byte, which is not 0. Returns the decoded byte that
  // it completes, 0 to 255, or kNothing.
  int Push(uint8_t byte);

  // True where a frame may end: the last block has all its bytes.
  bool Complete() const { return remaining_ == 0; }

 private:
  uint8_t remaining_ = 0;      // bytes of this block still to come
  bool zero_pending_ = false;  // the block stands for a zero at its end
};

// Encodes into a block buffer and hands out every block once it is closed.
class CobsEncoder {
 public:
  // A block: its code, up to 254 bytes.
  static constexpr size_t kMaxBlock = 255;

  void Reset();

  // Takes one byte. True: a block is ready in block(), of size() bytes; send it
  // before the next call.
  bool Push(uint8_t byte);

  // Ends the frame. True: as for Push.
  bool Finish();

  const uint8_t* block() const { return block_; }
  size_t size() const { return ready_; }

 private:
  bool Close();

  uint8_t block_[kMaxBlock] = {};
  size_t used_ = 0;          // code included; zeroed, so that a static object
                             // takes no flash. Reset sets it
  size_t ready_ = 0;         // size of the closed block
  bool after_full_ = false;  // the last block was full: no zero is owed
};

}  // namespace squeeze::link

#endif  // PROTOCOL_COBS_H_
