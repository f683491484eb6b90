// Copies of the taps of pixels: for windows that hang over the map's edge or are no whole slices.
#ifndef SQUEEZE_ENGINE_MVE_SLICES_WINDOW_H_
#define SQUEEZE_ENGINE_MVE_SLICES_WINDOW_H_

#include <stdint.h>

#include "engine/kernels.h"

namespace squeeze {

// To `taps`: kernel_h rows of kernel_w pixels, those of `rows` from column `left` on; the zero point where
// there are none. What is behind them, to a whole slice, stays as it is: its weights are 0.
void CopyWindow(const ConvRows& conv, const int8_t* const* rows, int32_t left, int8_t* taps);

// The windows of `pixels` neighbours, all inside the map, to `taps`, one every `window_bytes`. `offset`: of
// the first window's left column in a row, in bytes.
void CopyInnerWindows(const ConvRows& conv, const int8_t* const* rows, uint32_t offset, uint32_t pixels,
                      int8_t* taps, uint32_t window_bytes);

}  // namespace squeeze

#endif  // SQUEEZE_ENGINE_MVE_SLICES_WINDOW_H_
