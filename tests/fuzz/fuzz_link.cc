// libFuzzer's target for the device's end of the link: whatever bytes come, DeviceLink touches nothing
// outside, and answers each intact request with exactly one reply, and nothing else with anything. Compiled
// twice: fuzz_handlers has the handlers of requests that only some firmware knows (more_handlers.h), too.
//
// An input is a byte of settings (below), then the bytes of the line as they are; or, with kRecords, records:
//   type u8, size u16 (little-endian), `size` bytes
// A record becomes a frame with a right CRC, so that every handler is reached, of requests that come later,
// too: the type goes as it is. Type 0 stands for no request: its bytes go onto the line as they are.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fuzz/more_handlers.h"
#include "protocol/bytes.h"
#include "protocol/device_link.h"
#include "protocol/fake_application.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/wire.h"

namespace {

using squeeze::link::FrameReader;
using squeeze::link::FrameWriter;

constexpr uint8_t kRecords = 1u << 0;
constexpr uint8_t kHello = 1u << 1;  // a session is open already
constexpr int kShapeShift = 2;       // two bits: which of kShapes
constexpr uint8_t kShapeMask = 3;
constexpr uint8_t kRowFails = 1u << 4;
constexpr uint8_t kBeginFails = 1u << 5;
constexpr uint32_t kDoubt = 40;  // bytes without a sound frame, after which a faster rate is given up

struct Shape {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
  uint32_t receive_bytes;
};
// Rows that share a frame, and rows that take several.
constexpr Shape kShapes[] = {{4, 3, 1, 2048}, {1, 400, 3, 2048}, {1, 1, 1, 1024}, {9, 32, 3, 512}};

// HELLO: the version, and a session.
constexpr uint8_t kHelloPayload[] = {squeeze::link::kProtocolVersion, 0x78, 0x56, 0x34, 0x12};

void Want(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "fuzz_link: %s\n", what);
  std::abort();
}

FakeApplication::Options OptionsOf(uint8_t settings) {
  const Shape& shape = kShapes[settings >> kShapeShift & kShapeMask];
  FakeApplication::Options options;
  options.height = shape.height;
  options.width = shape.width;
  options.channels = shape.channels;
  options.receive_bytes = shape.receive_bytes;
  if ((settings & kRowFails) != 0) options.fail_at_row = shape.height / 2;
  if ((settings & kBeginFails) != 0) options.fail_begin = 7;
  return options;
}

// The device, and a host that counts what it says.
class Line {
 public:
  explicit Line(uint8_t settings) : application_(OptionsOf(settings), Hear, this) {
    const bool first_shape = (settings >> kShapeShift & kShapeMask) == 0;
    const auto interface = fuzz::Wrapped(application_.Interface(), first_shape);
    Want(link_.Init(application_.Info(), interface), "Init refuses the fake application");
    fuzz::Attach(&link_, first_shape);
    writer_.Init(
        [](void* line, const uint8_t* data, size_t size) {
          for (size_t i = 0; i < size; ++i) static_cast<Line*>(line)->Byte(data[i]);
        },
        this);
    if ((settings & kHello) == 0) return;
    Frame(static_cast<uint8_t>(squeeze::link::Request::kHello), kHelloPayload, sizeof(kHelloPayload));
  }

  void Byte(uint8_t byte) {
    heard_ = 0;
    replies_ = 0;
    const bool intact = requests_.Push(byte);
    link_.OnByte(byte);
    link_.MayRest(++bytes_, kDoubt);
    if (!intact) {
      Want(heard_ == 0, "says something unasked");
      return;
    }
    Want(replies_ == 1, "another number of replies than one");
    Want(reader_.sequence() == requests_.sequence(), "a reply to another request");
    Want((reader_.type() & 0x80) != 0, "a reply without bit 7");
  }

  void Frame(uint8_t type, const uint8_t* payload, size_t size) {
    writer_.Begin(type, sequence_++);
    writer_.Bytes(payload, size);
    writer_.End();
  }

 private:
  static void Hear(void* line, const uint8_t* data, size_t size) {
    Line& self = *static_cast<Line*>(line);
    self.heard_ += size;
    for (size_t i = 0; i < size; ++i) {
      if (self.reader_.Push(data[i])) ++self.replies_;
    }
  }

  FakeApplication application_;
  squeeze::link::DeviceLink link_;
  FrameReader requests_;  // what the device should find
  FrameReader reader_;    // what it says
  FrameWriter writer_;
  uint16_t sequence_ = 0;
  uint32_t bytes_ = 0;
  size_t heard_ = 0;
  size_t replies_ = 0;
};

void PlayRecords(Line* line, const uint8_t* data, size_t size) {
  constexpr size_t kHead = 3;
  while (size >= kHead) {
    const uint8_t type = data[0];
    size_t length = squeeze::link::LoadU16(data + 1);
    data += kHead;
    size -= kHead;
    if (length > size) length = size;
    if (length > squeeze::link::kMaxPayload) length = squeeze::link::kMaxPayload;
    if (type == 0) {
      for (size_t i = 0; i < length; ++i) line->Byte(data[i]);
    } else {
      line->Frame(type, data, length);
    }
    data += length;
    size -= length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t settings = data[0];
  Line line(settings);
  if ((settings & kRecords) != 0) {
    PlayRecords(&line, data + 1, size - 1);
  } else {
    for (size_t i = 1; i < size; ++i) line.Byte(data[i]);
  }
  return 0;
}
