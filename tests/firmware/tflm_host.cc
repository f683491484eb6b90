// The adapter to TensorFlow Lite Micro on the host, around whatever TFLM it is linked with: images come on
// stdin, MODEL_INPUT_HEIGHT * MODEL_ROW_BYTES int8 each. For each image: the logits and the probabilities,
// and a byte for each call of the observer. First: status, the arena's bytes, the number of layers.
#include <stdint.h>
#include <stdio.h>

#include "app/inference.h"
#include "model_settings.h"
#include "tflm/run_constructors.h"

void tflm::RunConstructors() {}  // the host's loader has run them

namespace {

void Write(const void* data, size_t size) { fwrite(data, 1, size, stdout); }

void WriteWord(uint32_t value) { Write(&value, sizeof(value)); }

// The layer's number as it begins, and with bit 7 set as it ends.
void Observe(void* /*context*/, int layer, bool begins) {
  const uint8_t mark = static_cast<uint8_t>(layer | (begins ? 0 : 0x80));
  Write(&mark, 1);
}

}  // namespace

int main() {
  const app::Status status = app::Load();
  WriteWord(status);
  WriteWord(app::ArenaBytes());
  WriteWord(static_cast<uint32_t>(app::LayerCount()));
  Write(app::ModelSha256(), 32);
  if (status != app::kOk) return 0;
  app::Observe(Observe, nullptr);
  for (;;) {
    app::Begin();
    for (int i = 0; i < MODEL_INPUT_HEIGHT; ++i) {
      int8_t row[MODEL_ROW_BYTES];
      if (fread(row, 1, sizeof(row), stdin) != sizeof(row)) return 0;
      const app::Status pushed = app::PushRow(row);
      if (pushed != app::kOk) return pushed;
    }
    Write(app::Logits().data, app::Logits().size);
    Write(app::Probabilities().data, app::Probabilities().size);
  }
}
