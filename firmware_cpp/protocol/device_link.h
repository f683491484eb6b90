// The device's end of the link: answers the host's requests (docs/link.md),
// feeds the image's rows to the application and hands out its results.
//
//   DeviceLink link;                       // about 1.4 KB, static
//   link.Init(info, application);          // false: see Init
//   for (;;) {
//     uint8_t byte;
//     while (ring.Pop(&byte)) link.OnByte(byte);   // filled by the ISR
//     WaitForInterrupt();
//   }
#ifndef PROTOCOL_DEVICE_LINK_H_
#define PROTOCOL_DEVICE_LINK_H_

#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/wire.h"
#if SQUEEZE_INSPECT
#include "protocol/inspect.h"
#endif

namespace squeeze::link {

struct Blob {
  const uint8_t* data;
  size_t size;
};

// What INFO tells the host. Constant while the link is in use.
struct DeviceInfo {
  const char* board;            // at most kMaxBoardName characters
  const uint8_t* model_sha256;  // 32 bytes: SHA-256 of the source .tflite
  uint16_t height;              // of the input
  uint16_t width;
  uint16_t channels;
  uint16_t classes;
  uint32_t receive_bytes;      // capacity of the receive buffer that the ISR fills
  uint32_t arena_bytes;        // of the engine
  uint32_t static_sram_bytes;  // .data + .bss, the arena included
  uint32_t sram_total_bytes;   // of the chip, as the linker script has it
  uint32_t flash_used_bytes;
  uint32_t flash_total_bytes;
  CounterKind counter_kind;
  uint32_t counter_hz;           // ticks of the counter in a second of device time
  const uint8_t* build_id;       // kBuildIdBytes: of the firmware
  const uint8_t* engine_sha256;  // 32 bytes: SHA-256 of the model that the engine runs
  ResetCause reset_cause;
  uint32_t features;  // bits of Feature
  Blob last_fault;    // LAST_FAULT's payload (docs/link.md); of size 0: none is known
};

// What the last image cost.
struct Cost {
  uint64_t count;             // of the counter, over begin_image and push_row
  uint32_t sram_high_water;   // bytes: static SRAM + deepest stack
  uint32_t stack_high_water;  // bytes: deepest stack
};

// What the link asks of the rest of the firmware. `context` is handed to every
// function; a status of 0 is success, any other travels to the host.
struct Application {
  void* context;

  // Room for one row: width * channels bytes. The link fills it before each
  // push_row and never touches it during one.
  int8_t* row;

  // Starts an image; one that was under way is dropped.
  uint8_t (*begin_image)(void* context);

  // Takes the next row, `row` above: int8 HWC, as the input tensor has it, top
  // row first. Blocks while the engine computes.
  uint8_t (*push_row)(void* context, const int8_t* row);

  // True once all rows are in and the results below are valid.
  bool (*done)(void* context);

  // The results, valid until the next begin_image.
  Blob (*logits)(void* context);
  Blob (*probabilities)(void* context);
  Cost (*cost)(void* context);

  // Sends bytes to the host; blocks until they are accepted.
  void (*write)(void* context, const uint8_t* data, size_t size);

  // Bytes that were lost on their way into the receive buffer. Null: nobody
  // counts them.
  uint32_t (*dropped)(void* context);
  // The baud rate that the line gets where `baud` is asked for; 0: none that is near enough. `change`: it has
  // that on return, and all that was written before left at the old one. Null: it has no rates.
  uint32_t (*speed)(void* context, uint32_t baud, bool change) = nullptr;
  // Answers a request that the link does not know itself, within a session. Null, or false: nor does this.
  bool (*other)(void* context, const FrameReader& request, FrameWriter* reply) = nullptr;
};

class DeviceLink {
 public:
  // Keeps copies of both structs (not of what they point to). False: a pointer
  // is null, a dimension is 0, the board's name is too long, or receive_bytes
  // is less than MinReceiveBytes(width * channels).
  bool Init(const DeviceInfo& info, const Application& application);

  // Takes the next received byte. When it completes a request, answers it, and
  // then runs the engine on the rows that came with it: this blocks, while the
  // next rows arrive in the receive buffer.
  void OnByte(uint8_t byte);

  // Of the program's loop, after the bytes that were there. A line at another rate than the default on which
  // bytes come, but for `doubt` ticks no sound frame, goes back to the default: its host is gone, or was
  // reset, or never got the rate to work. `now`: of a clock in ticks; it need not run while the program
  // sleeps. False: time must be told, so the program may not sleep.
  bool MayRest(uint32_t now, uint32_t doubt);

#if SQUEEZE_INSPECT
  // After Init. What the host asks to be watched, and what was seen, is `inspector`'s.
  void SetInspector(Inspector* inspector) { inspector_ = inspector; }
#endif
  // Forgets the image under way: the engine has been used for something else. The host begins it again.
  void DropImage() { state_ = State::kIdle; }

 private:
  void Handle();
  void HandleHello(const uint8_t* payload, size_t size);
  void HandleBegin(const uint8_t* payload, size_t size);
  void HandleRows(const uint8_t* payload, size_t size);
  void HandleResult(const uint8_t* payload, size_t size);
  void HandleLastFault(size_t size);
  void HandleRead(const uint8_t* payload, size_t size);
  void HandleCounts(size_t size);
  void HandleSpeed(const uint8_t* payload, size_t size);

#if SQUEEZE_INSPECT
  // In inspect.cc.
  void HandleWatch(const uint8_t* payload, size_t size);
  void HandleSeen(const uint8_t* payload, size_t size);
  Inspector* inspector_ = nullptr;
#endif

  // True where `image` is the one under way; else sends the ERROR.
  bool Current(uint32_t image);
  void Consume(const uint8_t* data, size_t size);
  void Fail(uint8_t failure);

  void SendInfo();
  void SendStatus();
  // One copy of it, not one in each place.
  __attribute__((noinline)) void SendError(ErrorCode code, uint32_t detail);

  DeviceInfo info_ = {};
  Application application_ = {};
  FrameReader reader_;
  FrameWriter writer_;

  size_t row_bytes_ = 0;
  size_t image_bytes_ = 0;
  uint32_t credit_rows_ = 0;

  uint32_t session_ = 0;  // 0: none since the device started
  uint32_t image_ = 0;
  State state_ = State::kIdle;
  uint8_t failure_ = 0;
  bool faster_ = false;   // the line has another rate than the default
  bool unsound_ = false;  // bytes have come since the last sound frame,
  bool timed_ = false;    // the first of them before unsound_at_
  uint32_t unsound_at_ = 0;
  size_t next_byte_ = 0;  // of the image: the next that is wanted
  size_t row_fill_ = 0;   // bytes in the row buffer
};

}  // namespace squeeze::link

#endif  // PROTOCOL_DEVICE_LINK_H_
