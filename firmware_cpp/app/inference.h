// What a firmware asks of an inference engine. One implementation is linked (CMake's ENGINE): ours,
// squeeze_inference.cc, or TensorFlow Lite Micro, ../tflm/tflm_inference.cc.
#ifndef FIRMWARE_CPP_APP_INFERENCE_H_
#define FIRMWARE_CPP_APP_INFERENCE_H_

#include <stddef.h>
#include <stdint.h>

namespace app {

// 0: fine. Up to 63 a squeeze::Status; from 64 on what tflm_inference.cc says. They travel over the link;
// convert/verify/engine_status.py has them in words.
using Status = uint8_t;
constexpr Status kOk = 0;

struct Bytes {
  const uint8_t* data;
  size_t size;
};

// Takes the model into the engine's memory. Once, before all below but Model() and ModelSha256().
Status Load();

// The model as it is linked, whether sound or not: an engine model or a .tflite.
Bytes Model();

// 32 bytes: the SHA-256 of the source .tflite.
const uint8_t* ModelSha256();

// Of the engine's memory: what it takes, or what it was given where Load() has failed.
uint32_t ArenaBytes();

// A longer piece of work than any: the watchdog ends what takes more. Of all that PushRow() does at once.
#if defined(TEST_FAULT)
constexpr uint32_t kLongestWorkSeconds = 1;
#elif defined(APP_WHOLE_IMAGE_AT_ONCE)
constexpr uint32_t kLongestWorkSeconds = 600;
#else
constexpr uint32_t kLongestWorkSeconds = 30;
#endif

// Starts an image; drops one that is under way.
void Begin();

// Takes the next row, top row first: MODEL_ROW_BYTES int8 in HWC.
Status PushRow(const int8_t* row);

// All rows are in; the results below stay until the next Begin().
bool Done();
Bytes Logits();
Bytes Probabilities();

// Layers in the order in which they run first; of a .tflite its operators.
constexpr int kMaxLayers = 128;
int LayerCount();

// Called before and after each piece of a layer's work from now on; null ends it.
using LayerObserver = void (*)(void* context, int layer, bool begins);
void Observe(LayerObserver observer, void* context);

#if SQUEEZE_INSPECT  // of our own engine
// Feature maps, and the form of each; 0 where Load() has failed.
struct MapShape {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
};
int MapCount();
MapShape MapShapeOf(int map);

// Called with each row of each feature map, when it is complete, from now on; null ends it.
using RowObserver = void (*)(void* context, int map, int row, const int8_t* data);
void ObserveRows(RowObserver observer, void* context);
#endif

}  // namespace app

#endif  // FIRMWARE_CPP_APP_INFERENCE_H_
