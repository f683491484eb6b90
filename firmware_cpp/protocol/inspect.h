// What a firmware that was built with INSPECT sees of an image while it computes it: the rows of each feature
// map, or the time of each layer. docs/inspect.md says what for, docs/link.md has the messages.
//
// It keeps no row. The host has the same image computed again and again, and each time another thing watched.
#ifndef PROTOCOL_INSPECT_H_
#define PROTOCOL_INSPECT_H_

#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_writer.h"

#ifndef SQUEEZE_INSPECT
#error "SQUEEZE_INSPECT: want the number of layers, or of feature maps, that the model has at most"
#endif

namespace squeeze::link {

enum class What : uint8_t {
  kNothing = 0,
  kMaps = 1,   // of each feature map the CRC-32 of its rows, one after the other
  kRows = 2,   // of each row of `map` from `row` on its CRC-32
  kBytes = 3,  // the bytes of row `row` of `map`, from `offset` on
  kTime = 4,   // what each layer takes
};
inline constexpr uint8_t kWhats = 5;

struct Watch {
  What what;
  uint16_t map;
  uint16_t row;
  uint32_t offset;
};

struct MapShape {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
};

// The network, as the rest of the firmware knows it.
struct Watched {
  uint16_t maps;
  uint16_t layers;
  MapShape (*shape)(int map);
  uint64_t (*counter)();
};

class Inspector {
 public:
  void Init(const Watched& watched);

  // Of images that begin from now on. False: there is no such map or row, or no room for what was asked.
  bool Ask(const Watch& watch);
  const Watch& asked() const { return asked_; }
  const Watched& watched() const { return watched_; }

  // An image begins. What it is watched for:
  const Watch& Begin();

  // squeeze::Engine::RowObserver and StepObserver; `inspector` is one of these.
  static void OnRow(void* inspector, int map, int row, const int8_t* data);
  static void OnStep(void* inspector, int layer, bool begins);

  // Around the engine's work on a row of the image, while time is watched.
  void Work(bool begins);

  // How many things of the image under way were seen; writes those from `first` on, as many as fit.
  uint16_t SeenCount() const;
  void WriteSeen(FrameWriter* writer, uint16_t first);

  static constexpr uint32_t kSlots = SQUEEZE_INSPECT + 1;
  static constexpr uint32_t kRoom = kSlots * 12 > 512 ? kSlots * 12 : 512;  // bytes of SRAM for what is seen

 private:
  void Row(int map, int row, const int8_t* data);
  void Charge(int next);
  void Calibrate();
  uint64_t Spent(uint32_t slot);
  uint64_t Ticks(uint32_t slot) const;
  void SetTicks(uint32_t slot, uint64_t ticks);
  uint32_t& Charges(uint32_t slot) { return seen_[2 * kSlots + slot]; }

  Watched watched_ = {};
  Watch asked_ = {};
  Watch watch_ = {};  // of the image under way
  uint64_t since_ = 0;
  uint64_t empty_ = 0;  // what kTries charges of nothing take
  uint32_t slot_ = 0;   // which is charged next
  // CRC-32s, or bytes, or of each layer, and then of what is between them, the ticks, as two words, and after
  // all ticks how often it was charged.
  uint32_t seen_[kRoom / sizeof(uint32_t)] = {};
};

}  // namespace squeeze::link

#endif  // PROTOCOL_INSPECT_H_
