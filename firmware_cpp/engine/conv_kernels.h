// Which kernels this build has, and of the convolutions what memory each wants and how to run one.
//
// The build defines SQUEEZE_KERNEL_<NAME> as 1 for each kernel it compiles (CMakeLists.txt); a firmware
// lists only those that its model uses, so that no other takes flash.
#ifndef SQUEEZE_ENGINE_CONV_KERNELS_H_
#define SQUEEZE_ENGINE_CONV_KERNELS_H_

#include "engine/conv_shape.h"
#include "engine/format.h"
#include "engine/kernels.h"

namespace squeeze {

// True when the kernel of layers of that kind is in this build; of convolutions ask ConvKernelSupports.
bool LayerKernelBuilt(LayerKind kind);

// True when `kernel` is in this build and takes weights of that encoding for convolutions of that shape.
bool ConvKernelSupports(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape);

// Least scratch of `kernel` (which must take the shape). convert/select/cost/ has the same formulas.
uint32_t ConvScratchBytes(ConvKernel kernel, WeightEncoding encoding, const ConvShape& shape);

// Whether `bytes` of stored weights are what `encoding` wants: of the right size, and every index within
// bounds.
bool StoredWeightsOk(WeightEncoding encoding, const ConvShape& shape, const uint8_t* stored, uint32_t bytes);

void RunConvKernel(ConvKernel kernel, const ConvRows& conv);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_CONV_KERNELS_H_
