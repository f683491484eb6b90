// The group of pixels that ConvSlicesRows computes at once: where each one's taps are, and where it goes.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_GROUP_H_
#define SQUEEZE_ENGINE_MVE_SLICES_GROUP_H_

#include <arm_mve.h>
#include <stdint.h>

#include "engine/format.h"
#include "engine/mve/slices.h"

namespace squeeze {

class SlicesGroup {
 public:
  static_assert(sizeof(uint32_t[kMaxKernel][kSlicePixels]) <= kSliceTableBytes,
                "the table has room for taps");
  uint32_t (*const taps)[kSlicePixels];  // addresses: of run r, pixel i
  uint32_t out[kSlicePixels];            // addresses
  uint32_t count = 0;
  uint32_t size = kSlicePixels;  // pixels to gather

  // `table`: kSliceTableBytes.
  explicit SlicesGroup(uint8_t* table) : taps(reinterpret_cast<uint32_t (*)[kSlicePixels]>(table)) {}

  uint32_t Room() const { return size - count; }

  // Taps of run r of the next `pixels` pixels: the first one's address, and bytes from pixel to pixel.
  void Taps(uint32_t r, uint32_t first, uint32_t step, uint32_t pixels) {
    Line(&taps[r][count], first, step, pixels);
  }

  // Then the places of those pixels.
  void Add(int8_t* first, uint32_t step, uint32_t pixels) {
    Line(&out[count], reinterpret_cast<uint32_t>(first), step, pixels);
    count += pixels;
  }

  // Where their number is odd and not 7, does a pixel again. Pairs of pixels (0 and 1, 2 and 3, 4 and 5) stay
  // neighbours, but of one pixel alone. Returns the number of pixels: 2, 4, 6 or 7.
  uint32_t Fill(uint32_t runs) {
    if (count % 2 == 0 || count == kSlicePixels) return count;
    for (uint32_t r = 0; r < runs; ++r) Again(taps[r]);
    Again(out);
    return count + 1;
  }

 private:
  static void Line(uint32_t* at, uint32_t first, uint32_t step, uint32_t pixels) {
    const uint32x4_t steps = vmulq_n_u32(vidupq_n_u32(0, 1), step);
    vst1q_p_u32(at, vaddq_n_u32(steps, first), vctp32q(pixels));
    if (pixels > 4) vst1q_p_u32(at + 4, vaddq_n_u32(steps, first + 4 * step), vctp32q(pixels - 4));
  }

  // The last pixel goes one place up, after a second one of its neighbour.
  void Again(uint32_t* line) const {
    line[count] = line[count - 1];
    if (count > 1) line[count - 1] = line[count - 2];
  }
};

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_GROUP_H_
