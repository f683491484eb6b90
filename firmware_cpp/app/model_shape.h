// What the firmware's code must know of its model, as data: so the code is the same for every model, and its
// size is known before it is built (host_tools/firmware/code_sizes.py).
#ifndef FIRMWARE_CPP_APP_MODEL_SHAPE_H_
#define FIRMWARE_CPP_APP_MODEL_SHAPE_H_

#include <stdint.h>

namespace app {

struct ModelShape {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
  uint16_t classes;
};

// From model_settings.h.
extern const ModelShape kModelShape;

// Of our own engine's arena.
extern const uint32_t kArenaBytes;

}  // namespace app

#endif  // FIRMWARE_CPP_APP_MODEL_SHAPE_H_
