/* Classifies one picture with the engine's C API.
 *
 *   classify [FILE]    raw pixels, top row first, MODEL_ROW_BYTES a row (RGB, or gray); stdin without FILE
 *
 * Prints the class, its name and its share of 256. Only one row of the picture is ever in memory, and that
 * one in the engine's arena. */
#include <stdio.h>

#include "engine/squeeze.h"
#include "model_io.h"
#include "model_settings.h"
#include "model_sqz.h"

static squeeze_engine engine;
static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES];

/* Reads one row of pixels into `row`; 0 at the end of the file. */
static int read_row(FILE* file, int8_t* row) {
  uint8_t pixel[MODEL_INPUT_CHANNELS];
  for (int x = 0; x < MODEL_INPUT_WIDTH; ++x) {
    if (fread(pixel, 1, sizeof(pixel), file) != sizeof(pixel)) return 0;
    for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) *row++ = model_input(pixel, c);
  }
  return 1;
}

static int classify(FILE* file, const char* name) {
  squeeze_status status = squeeze_init(&engine, g_model_sqz, g_model_sqz_len, arena, sizeof(arena));
  squeeze_reset(&engine);
  while (status == SQUEEZE_OK && !squeeze_done(&engine)) {
    int8_t* row = squeeze_input_row(&engine);
    if (row != NULL && !read_row(file, row)) {
      fprintf(stderr, "classify: %s: too short; want %d rows of %d bytes\n", name, MODEL_INPUT_HEIGHT,
              MODEL_ROW_BYTES);
      return 1;
    }
    status = squeeze_push_row(&engine, row);
  }
  if (status != SQUEEZE_OK) {
    fprintf(stderr, "classify: %s: %s\n", MODEL_NAME, squeeze_status_text(status));
    return 1;
  }
  const int top = model_top_class(squeeze_logits(&engine));
  printf("%d %s %d\n", top, model_label(top), squeeze_probabilities(&engine)[top] + 128);
  return 0;
}

int main(int argc, char** argv) {
  const char* name = argc > 1 ? argv[1] : "standard input";
  FILE* file = argc > 1 ? fopen(name, "rb") : stdin;
  if (file == NULL) {
    fprintf(stderr, "classify: %s: cannot be read; want a file of raw pixels\n", name);
    return 1;
  }
  const int status = classify(file, name);
  if (file != stdin) fclose(file);
  return status;
}
