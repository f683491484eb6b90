#include "engine/kernels.h"

namespace squeeze {

void LookupRowStep(const LookupRow& lookup) {
  const int8_t* in = lookup.row;
  const int8_t* const middle = lookup.table + 128;
  int8_t* out = lookup.out;
  for (uint32_t x = 0; x < lookup.width; ++x, in += lookup.channels, out += lookup.out_pixel_stride) {
    for (uint32_t c = 0; c < lookup.channels; ++c) out[c] = middle[in[c]];
  }
}

}  // namespace squeeze
