// A MicroMutableOpResolver that registers TFLM's kernels for int8 alone, where TFLM offers such.
//
// TFLM's plain registration of an operator names the kernels of all types that it takes. So the linker keeps
// CMSIS-NN's paths for int4 weights and int16 activations too, some 24 KB, although a model of int8 alone
// never runs them. With CMSIS_NN defined, TFLM's headers declare registrations for int8 alone
// (Register_CONV_2D_INT8() and its like); without, they give the plain ones by the same names. tflm.cmake
// defines it where the library has them.
#ifndef TFLM_INT8_REGISTRATIONS_H_
#define TFLM_INT8_REGISTRATIONS_H_

#include "tensorflow/lite/micro/kernels/add.h"
#include "tensorflow/lite/micro/kernels/conv.h"
#include "tensorflow/lite/micro/kernels/depthwise_conv.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/mul.h"
#include "tensorflow/lite/micro/kernels/pooling.h"
#include "tensorflow/lite/micro/kernels/softmax.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

namespace app {

#if defined(TFLM_NAMESPACE)
namespace tflite = ::TFLM_NAMESPACE;  // of a TFLM whose vendor has renamed it
#endif

// Only for a model whose operators of these kinds have int8 activations and int8 weights.
template <unsigned int kOps>
class Int8OpResolver : public tflite::MicroMutableOpResolver<kOps> {
 public:
  // Each hides the base's method of the same name, which registers the kernels of all types.
  TfLiteStatus AddAdd() { return Base::AddAdd(tflite::Register_ADD_INT8()); }
  TfLiteStatus AddAveragePool2D() { return Base::AddAveragePool2D(tflite::Register_AVERAGE_POOL_2D_INT8()); }
  TfLiteStatus AddConv2D() { return Base::AddConv2D(tflite::Register_CONV_2D_INT8()); }
  TfLiteStatus AddDepthwiseConv2D() {
    return Base::AddDepthwiseConv2D(tflite::Register_DEPTHWISE_CONV_2D_INT8());
  }
  TfLiteStatus AddFullyConnected() {
    return Base::AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8());
  }
  TfLiteStatus AddMaxPool2D() { return Base::AddMaxPool2D(tflite::Register_MAX_POOL_2D_INT8()); }
  TfLiteStatus AddMul() { return Base::AddMul(tflite::Register_MUL_INT8()); }
  TfLiteStatus AddSoftmax() { return Base::AddSoftmax(tflite::Register_SOFTMAX_INT8()); }

 private:
  using Base = tflite::MicroMutableOpResolver<kOps>;
};

}  // namespace app

#endif  // TFLM_INT8_REGISTRATIONS_H_
