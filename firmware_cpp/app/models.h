// Of a firmware that takes new models (UPDATE=1): our engine on another model than the one it starts with.
#ifndef FIRMWARE_CPP_APP_MODELS_H_
#define FIRMWARE_CPP_APP_MODELS_H_

#include "app/inference.h"

namespace app {

// Beside the engine's statuses: the model is sound, but its input or output is not the firmware's.
constexpr Status kForeignShape = 7;

// The model that is linked into the firmware.
Bytes LinkedModel();

// Takes another model into the engine's memory; from then on Model() and the images are of that one. Where it
// fails, no model is loaded.
Status LoadModel(Bytes model);

}  // namespace app

#endif  // FIRMWARE_CPP_APP_MODELS_H_
