#include "engine/mve/slices_window.h"

#include <arm_mve.h>
#include <string.h>

namespace squeeze {
namespace {

// `bytes` of each of `pixels` neighbours. Assembler, because the compiler moves the pointers with additions
// of their own. Up to 16 bytes take 6 instructions a pixel, up to 32 bytes 8. VPST reads the predicate of the
// last operand.
inline void CopyRows16(const int8_t* from, uint32_t from_step, int8_t* to, uint32_t to_step, uint32_t pixels,
                       uint32_t bytes) {
  asm volatile(
      "dls lr, %[pixels]\n"
      "1:\n"
      "vpstt\n"
      "vldrbt.u8 q0, [%[from]]\n"
      "vstrbt.8 q0, [%[to]]\n"
      "add %[from], %[from], %[from_step]\n"
      "add %[to], %[to], %[to_step]\n"
      "le lr, 1b\n"
      : [from] "+r"(from), [to] "+r"(to)
      : [from_step] "r"(from_step), [to_step] "r"(to_step), [pixels] "r"(pixels), "Up"(vctp8q(bytes))
      : "lr", "q0", "memory");
}

inline void CopyRows32(const int8_t* from, uint32_t from_step, int8_t* to, uint32_t to_step, uint32_t pixels,
                       uint32_t bytes) {
  asm volatile(
      "dls lr, %[pixels]\n"
      "1:\n"
      "vldrb.u8 q0, [%[from]]\n"
      "vstrb.8 q0, [%[to]]\n"
      "vpstt\n"
      "vldrbt.u8 q0, [%[from], #16]\n"
      "vstrbt.8 q0, [%[to], #16]\n"
      "add %[from], %[from], %[from_step]\n"
      "add %[to], %[to], %[to_step]\n"
      "le lr, 1b\n"
      : [from] "+r"(from), [to] "+r"(to)
      : [from_step] "r"(from_step), [to_step] "r"(to_step), [pixels] "r"(pixels), "Up"(vctp8q(bytes - 16))
      : "lr", "q0", "memory");
}

inline void CopyRow(const int8_t* from, int8_t* to, uint32_t bytes) {
  asm volatile(
      "wlstp.8 lr, %[bytes], 2f\n"
      "1: vldrb.u8 q0, [%[from]], #16\n"
      "vstrb.8 q0, [%[to]], #16\n"
      "letp lr, 1b\n"
      "2:\n"
      : [from] "+r"(from), [to] "+r"(to)
      : [bytes] "r"(bytes)
      : "lr", "q0", "memory");
}

}  // namespace

void CopyInnerWindows(const ConvRows& c, const int8_t* const* rows, uint32_t offset, uint32_t pixels,
                      int8_t* taps, uint32_t window_bytes) {
  const uint32_t bytes = uint32_t{c.kernel_w} * c.in_channels;
  const uint32_t step = uint32_t{c.stride_w} * c.in_channels;
  const int8_t* const* end = rows + c.kernel_h;
  for (; rows != end; ++rows, taps += bytes) {
    const int8_t* from = *rows + offset;
    if (bytes <= 16) {
      CopyRows16(from, step, taps, window_bytes, pixels, bytes);
    } else if (bytes <= 32) {
      CopyRows32(from, step, taps, window_bytes, pixels, bytes);
    } else {
      int8_t* to = taps;
      for (uint32_t i = 0; i < pixels; ++i, from += step, to += window_bytes) CopyRow(from, to, bytes);
    }
  }
}

void CopyWindow(const ConvRows& c, const int8_t* const* rows, int32_t left, int8_t* taps) {
  const int32_t kernel = c.kernel_w;
  const int32_t right = c.in_width - left;  // columns of the row from `left` on
  int32_t begin = left < 0 ? -left : 0;
  if (begin > kernel) begin = kernel;
  int32_t end = right < kernel ? right : kernel;
  if (end < begin) end = begin;
  const uint32_t channels = c.in_channels;
  const uint32_t before = static_cast<uint32_t>(begin) * channels;
  const uint32_t inside = static_cast<uint32_t>(end - begin) * channels;
  const uint32_t bytes = c.kernel_w * channels;
  for (uint32_t k = 0; k < c.kernel_h; ++k, taps += bytes) {
    if (rows[k] == nullptr || inside == 0) {
      memset(taps, c.in_zero_point, bytes);
      continue;
    }
    const uint32_t after = before + inside;
    if (before > 0) memset(taps, c.in_zero_point, before);
    CopyRow(rows[k] + static_cast<uint32_t>(left + begin) * channels, taps + before, inside);
    if (after < bytes) memset(taps + after, c.in_zero_point, bytes - after);
  }
}

}  // namespace squeeze
