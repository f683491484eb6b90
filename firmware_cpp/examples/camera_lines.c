#include "camera_lines.h"

#include <string.h>

#include "engine/squeeze.h"
#include "model_io.h"
#include "model_sqz.h"

#define PIXELS_OF_ONE (CAMERA_SCALE * CAMERA_SCALE) /* camera's, averaged into one of the model */

static squeeze_engine engine;
static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES];
static uint16_t sums[MODEL_ROW_BYTES]; /* of the camera's lines that make one row: at most 16 * 16 * 255 */
static int lines;                      /* summed so far */

squeeze_status camera_init(void) {
  return squeeze_init(&engine, g_model_sqz, g_model_sqz_len, arena, sizeof(arena));
}

void camera_on_frame(void) {
  squeeze_reset(&engine);
  memset(sums, 0, sizeof(sums));
  lines = 0;
}

static void add_line(const uint8_t* line) {
  for (int x = 0; x < CAMERA_WIDTH; ++x) {
    uint16_t* sum = sums + x / CAMERA_SCALE * MODEL_INPUT_CHANNELS;
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) sum[c] = (uint16_t)(sum[c] + *line++);
  }
}

squeeze_status camera_on_line(const uint8_t* line) {
  int8_t* row = squeeze_input_row(&engine); /* in the arena */
  if (row == NULL) return squeeze_done(&engine) ? SQUEEZE_OK : SQUEEZE_NOT_READY;
  add_line(line);
  if (++lines < CAMERA_SCALE) return SQUEEZE_OK;
  const uint16_t* sum = sums;
  for (int x = 0; x < MODEL_INPUT_WIDTH; ++x) {
    uint8_t pixel[MODEL_INPUT_CHANNELS];
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c)
      pixel[c] = (uint8_t)((*sum++ + PIXELS_OF_ONE / 2) / PIXELS_OF_ONE);
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) *row++ = model_input(pixel, c);
  }
  memset(sums, 0, sizeof(sums));
  lines = 0;
  return squeeze_push_row(&engine, squeeze_input_row(&engine));
}

int camera_top_class(void) { return squeeze_done(&engine) ? model_top_class(squeeze_logits(&engine)) : -1; }
