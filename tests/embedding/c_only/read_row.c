/* What the example of docs/embedding.md leaves to its reader: one row of pixels into the engine's arena. */
#include <stdint.h>
#include <stdio.h>

#include "model_io.h"
#include "model_settings.h"

#ifdef __arm__
static int pixel_byte(void) { return *(volatile const uint8_t*)0x40004000; } /* of a serial port */
#else
static int pixel_byte(void) { return getchar(); }
#endif

void read_row(int8_t* row);

void read_row(int8_t* row) {
  uint8_t pixel[MODEL_INPUT_CHANNELS];
  for (int x = 0; x < MODEL_INPUT_WIDTH; ++x) {
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) pixel[c] = (uint8_t)pixel_byte();
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) *row++ = model_input(pixel, c);
  }
}
