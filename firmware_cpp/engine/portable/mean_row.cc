#include "engine/fixed_point.h"
#include "engine/kernels.h"

namespace squeeze {

void MeanRowStep(const MeanRow& m) {
  const int8_t* pixel = m.row;
  if (m.first) {
    for (uint32_t c = 0; c < m.channels; ++c) m.accumulators[c] = 0;
  }
  for (uint32_t x = 0; x < m.width; ++x, pixel += m.channels) {
    for (uint32_t c = 0; c < m.channels; ++c) m.accumulators[c] = WrappingAdd(m.accumulators[c], pixel[c]);
  }
  if (!m.last) return;
  const int32_t padding = m.in_zero_point * static_cast<int32_t>(m.pixels);
  for (uint32_t c = 0; c < m.channels; ++c) {
    m.out[c] = Requantize(WrappingAdd(m.accumulators[c], -padding), m.multiplier, m.shift, m.out_zero_point,
                          -128, 127);
  }
}

}  // namespace squeeze
