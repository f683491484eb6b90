// Prints the logits of the picture on stdin (raw pixels), by the C++ API.
#include <cstdio>

#include "engine/engine.h"
#include "model_io.h"
#include "model_settings.h"
#include "model_sqz.h"

int main() {
  alignas(8) static uint8_t arena[MODEL_ARENA_BYTES];
  squeeze::Model model;
  squeeze::Engine engine;
  if (model.Parse(g_model_sqz, g_model_sqz_len) != squeeze::Status::kOk) return 1;
  if (engine.Init(model, arena, sizeof(arena)) != squeeze::Status::kOk) return 2;
  while (!engine.Done()) {
    int8_t* row = engine.InputRow();
    for (int x = 0; x < MODEL_INPUT_WIDTH; ++x) {
      uint8_t pixel[MODEL_INPUT_CHANNELS];
      if (std::fread(pixel, 1, sizeof(pixel), stdin) != sizeof(pixel)) return 3;
      for (int c = 0; c < MODEL_INPUT_CHANNELS; ++c) *row++ = model_input(pixel, c);
    }
    if (engine.PushRow(engine.InputRow()) != squeeze::Status::kOk) return 4;
  }
  for (int i = 0; i < engine.OutputSize(); ++i) std::printf("%d ", engine.Logits()[i]);
}
