// The numbers of the link that both ends must agree on. docs/link.md describes
// them; host_tools/link/messages.py repeats them for Python.
#ifndef PROTOCOL_WIRE_H_
#define PROTOCOL_WIRE_H_

#include <stddef.h>
#include <stdint.h>

namespace squeeze::link {

inline constexpr uint8_t kProtocolVersion = 2;

// A frame on the wire: 0x00, COBS(body), 0x00.
// Its body: type u8, sequence number u16, payload, CRC-32 u32.
inline constexpr size_t kMaxFrame = 1024;
inline constexpr size_t kHeaderSize = 3;
inline constexpr size_t kCrcSize = 4;

// Bytes on the wire of a frame with a body of `body` bytes, at worst (no zero
// in it): one more for each 254 begun, and the two delimiters.
constexpr size_t EncodedSize(size_t body) { return body + (body + 253) / 254 + 2; }

inline constexpr size_t kMaxBody = 1017;
static_assert(EncodedSize(kMaxBody) == kMaxFrame);
inline constexpr size_t kMaxPayload = kMaxBody - kHeaderSize - kCrcSize;

// Requests, from the host. Each is idempotent: sent again, it does no harm.
enum class Request : uint8_t {
  kHello = 0x01,      // version u8, session u32
  kBegin = 0x02,      // image u32
  kRows = 0x03,       // image u32, offset u32, data
  kResult = 0x04,     // image u32
  kRead = 0x05,       // image u32, what u8, offset u32, length u16
  kCounts = 0x09,     // nothing
  kSpeed = 0x0A,      // baud u32
  kLastFault = 0x0B,  // nothing
  // Of firmware that was built with INSPECT: inspect.h.
  kWatch = 0x06,  // what u8, map u16, row u16, offset u32
  kSeen = 0x07,   // image u32, first u16
};

// Replies, from the device: one for each intact request, with its number.
enum class Reply : uint8_t {
  kInfo = 0x81,
  kStatus = 0x82,
  kResult = 0x84,
  kData = 0x85,
  kWatching = 0x86,
  kSeen = 0x87,
  kCounts = 0x89,
  kSpeed = 0x8A,
  kLastFault = 0x8B,
  kError = 0xFF,  // code u8, detail u32: the same in every version
};

enum class State : uint8_t {
  kIdle = 0,       // no image begun in this session
  kReceiving = 1,  // rows are wanted, or still being computed
  kDone = 2,       // the results are there
  kFailed = 3,     // the engine refused; `failure` has its status
};

enum class ErrorCode : uint8_t {
  kVersion = 1,      // detail: the version this device speaks
  kUnknownType = 2,  // detail: the type seen
  kMalformed = 3,    // detail: the type of the request
  kNoSession = 4,    // detail: 0. The device has restarted since HELLO
  kWrongImage = 5,   // detail: the image the device has, 0 if none
  kOutOfRange = 6,   // detail: the bytes there are
  kUnknownData = 7,  // detail: the `what` seen
};

// What READ can ask for.
enum class Data : uint8_t {
  kLogits = 0,         // int8[classes], the tensor before SOFTMAX
  kProbabilities = 1,  // int8[classes]
};

enum class CounterKind : uint8_t {
  kInstructions = 0,
  kCycles = 1,
  kMicroseconds = 2,
};

// Why the device's program has started.
enum class ResetCause : uint8_t {
  kUnknown = 0,  // the chip does not say
  kPowerOn = 1,
  kPin = 2,  // the reset button, or a debugger
  kSoftware = 3,
  kWatchdog = 4,  // the program hung
  kFault = 5,     // LAST_FAULT has its registers
};

// What the firmware can do beside the image's requests: bits of INFO's `features`.
enum class Feature : uint32_t {
  kLayers = 1u << 0,
  kProfile = 1u << 1,
  kUpload = 1u << 2,
  kSpeed = 1u << 3,
  kSignedModelsOnly = 1u << 4,
};

// What every line has at first, and goes back to where nothing sound is heard at another rate for so long:
// longer than a host is ever silent on a line that works (2 s, host_tools/link/adaptive.py).
inline constexpr uint32_t kDefaultBaud = 115200;
inline constexpr uint32_t kDoubtSeconds = 3;

inline constexpr size_t kBuildIdBytes = 8;
inline constexpr size_t kRowsHeader = 8;
inline constexpr size_t kMaxRowData = kMaxPayload - kRowsHeader;
inline constexpr size_t kDataHeader = 9;
inline constexpr size_t kMaxReadData = kMaxPayload - kDataHeader;
inline constexpr size_t kMaxBoardName = 32;

// Receive-buffer bytes kept out of the host's window, so that its few probes
// (at most 8, of at most 16 bytes) fit into a buffer full of rows, while the
// engine computes.
inline constexpr size_t kProbeReserve = 128;

// Bytes on the wire of one row at worst: when it travels alone, in as few
// frames as it needs. Rows packed together cost less.
constexpr size_t RowCost(size_t row_bytes) {
  const size_t fixed = kHeaderSize + kRowsHeader + kCrcSize;
  const size_t rest = row_bytes % kMaxRowData;
  return row_bytes / kMaxRowData * EncodedSize(fixed + kMaxRowData) +
         (rest == 0 ? 0 : EncodedSize(fixed + rest));
}

// The smallest receive buffer that a board can have for rows of `row_bytes`.
// Twice that keeps the line busy while the engine computes.
constexpr size_t MinReceiveBytes(size_t row_bytes) { return RowCost(row_bytes) + kProbeReserve; }

}  // namespace squeeze::link

#endif  // PROTOCOL_WIRE_H_
