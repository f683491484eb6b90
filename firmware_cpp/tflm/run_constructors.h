// Global constructors of the library, where it has any: boards/common/sections.ld collects them, and for this
// engine alone does not refuse them. Our own code has none.
#ifndef FIRMWARE_CPP_TFLM_RUN_CONSTRUCTORS_H_
#define FIRMWARE_CPP_TFLM_RUN_CONSTRUCTORS_H_

namespace tflm {

// Once, before anything of the library is called.
void RunConstructors();

}  // namespace tflm

#endif  // FIRMWARE_CPP_TFLM_RUN_CONSTRUCTORS_H_
