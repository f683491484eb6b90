#include "app/model_shape.h"

#include "model_settings.h"

namespace app {

const ModelShape kModelShape = {MODEL_INPUT_HEIGHT, MODEL_INPUT_WIDTH, MODEL_INPUT_CHANNELS, MODEL_CLASSES};

#ifdef MODEL_ARENA_BYTES  // not of a model that was converted for TensorFlow Lite Micro alone
const uint32_t kArenaBytes = MODEL_ARENA_BYTES;
#endif

}  // namespace app
