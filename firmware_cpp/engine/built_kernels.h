// Which kernels this build has, as one word: what a device tells a host that brings another model.
#ifndef SQUEEZE_ENGINE_BUILT_KERNELS_H_
#define SQUEEZE_ENGINE_BUILT_KERNELS_H_

#include <stdint.h>

#include "engine/format.h"

namespace squeeze {

// A bit for each kernel: of convolutions the ConvKernel's number; of other layers the LayerKind's, from
// kKernelBitOfKinds on; and kKernelBitHuffman. The highest byte is the format's version, which must be equal.
// host_tools/link/upload/kernels.py makes the same word of a model.
constexpr uint32_t kKernelBitHuffman = 11;
constexpr uint32_t kKernelBitOfKinds = 10;  // LayerKind 2, the first that is no convolution, has bit 12
constexpr uint32_t kKernelBitsVersion = 24;
static_assert(static_cast<uint32_t>(ConvKernel::kWinogradWords) < kKernelBitHuffman &&
                  static_cast<uint32_t>(LayerKind::kDense) + kKernelBitOfKinds < kKernelBitsVersion &&
                  kFormatVersion < 256,
              "no bit left");

uint32_t BuiltKernels();

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_BUILT_KERNELS_H_
