#include <string.h>

#include "engine/kernels.h"

namespace squeeze {

void PadRowStep(const PadRow& p) {
  int8_t* out = p.out;
  for (int x = 0; x < p.out_width; ++x, out += p.out_pixel_stride) {
    const int column = x - p.pad_left;
    if (p.row != nullptr && column >= 0 && column < p.in_width) {
      memmove(out, p.row + static_cast<uint32_t>(column) * p.channels, p.channels);
    } else {
      memset(out, p.zero_point, p.channels);
    }
  }
}

}  // namespace squeeze
