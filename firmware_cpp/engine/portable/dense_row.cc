#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void DenseRowStep(const DenseRow& d) {
  const int8_t* weights = d.weights;
  for (uint32_t o = 0; o < d.outputs; ++o, weights += d.weights_stride) {
    int32_t acc = d.first ? d.bias[o] : d.accumulators[o];
    for (uint32_t i = 0; i < d.row_bytes; ++i) acc = WrappingAdd(acc, d.row[i] * weights[i]);
    d.accumulators[o] = acc;
  }
  if (!d.last) return;
  for (uint32_t o = 0; o < d.outputs; ++o) {
    const int32_t value = RescaleOnce(d.accumulators[o], d.multipliers[o], d.shifts[o]);
    d.out[o] = Clamp(WrappingAdd(value, d.out_zero_point), d.act_min, d.act_max);
  }
}

}  // namespace squeeze
