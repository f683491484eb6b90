// A made-up model, so that clang-tidy can read what is compiled with a converted model's headers.
#ifndef MODEL_SETTINGS_H_
#define MODEL_SETTINGS_H_

#include <stdint.h>

#define MODEL_NAME "stand_in"
#define MODEL_INPUT_HEIGHT 32
#define MODEL_INPUT_WIDTH 32
#define MODEL_INPUT_CHANNELS 3
#define MODEL_ROW_BYTES 96
#define MODEL_CLASSES 10
#define MODEL_OUTPUT_SCALE 0.00390625f
#define MODEL_OUTPUT_ZERO_POINT (-128)
#define MODEL_ARENA_BYTES 65536
#define MODEL_TFLITE_SHA256                                                                                  \
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, \
      30, 31, 32

static inline int8_t model_input(const uint8_t* pixel, int channel) {
  return static_cast<int8_t>(pixel[channel] - 128);
}

#endif  // MODEL_SETTINGS_H_
