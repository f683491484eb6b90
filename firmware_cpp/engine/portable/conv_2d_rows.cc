// The reference kernel of convolutions, plain C++: blocks of two channels by two pixels, so that each
// byte loaded serves two products (about 3 instructions a MAC on a Cortex-M4).
// Columns at the edge of the row, and what does not make a block, go one by one.
// Sparse weights are unpacked, two channels at a time, for all rows of the call.
#include "engine/channel_weights.h"
#include "engine/fixed_point.h"
#include "engine/kernels.h"
#include "engine/struct_offset.h"

namespace squeeze {
namespace {

// ARMv6-M and v8-M's baseline multiply, load and count with r0 to r7 only: one big function would keep all in
// memory.
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1
#define SQUEEZE_FEW_REGISTERS 1
#define SQUEEZE_ALONE __attribute__((noinline))
#else
#define SQUEEZE_FEW_REGISTERS 0
#define SQUEEZE_ALONE
#endif

SQUEEZE_ALONE int32_t Dot(const int8_t* a, const int8_t* b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

SQUEEZE_ALONE int32_t Sum(const int8_t* a, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) sum += a[i];
  return sum;
}

// acc[channel][pixel]
struct Block {
  int32_t acc00, acc01, acc10, acc11;
};
SQUEEZE_OFFSET(Block, acc00, 0);
SQUEEZE_OFFSET(Block, acc01, 4);
SQUEEZE_OFFSET(Block, acc10, 8);
SQUEEZE_OFFSET(Block, acc11, 12);

// Adds the products of one kernel row: weights w0, w1 of two channels, inputs x0, x1 of two pixels.
#if SQUEEZE_FEW_REGISTERS
// An addition takes r8 to r15 as well: the accumulators are there, and r0 to r7 are enough for the rest. A
// function of its own, because a compiler that is to save space keeps away from r8 to r12. 21 cycles for 4
// products on a Cortex-M0+ with the fast multiplier (DDI 0484C, table 3-1). n > 0.
__attribute__((naked, noinline)) void Accumulate(Block* /*block*/, const int8_t* /*w0*/, const int8_t* /*w1*/,
                                                 const int8_t* /*x0*/, const int8_t* /*x1*/, uint32_t /*n*/) {
  asm volatile(
      ".syntax unified\n"
      "push {r4-r7, lr}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r0, r4-r7}\n"
      "ldm r0!, {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "ldr r4, [sp, #40]\n"  // x1
      "ldr r0, [sp, #44]\n"  // n
      "subs r0, #1\n"
      "1:\n"
      "ldrsb r5, [r3, r0]\n"
      "ldrsb r6, [r4, r0]\n"
      "ldrsb r7, [r1, r0]\n"
      "mov r12, r7\n"
      "muls r7, r5\n"
      "add r8, r7\n"
      "mov r7, r12\n"
      "muls r7, r6\n"
      "add r9, r7\n"
      "ldrsb r7, [r2, r0]\n"
      "muls r5, r7\n"
      "add r10, r5\n"
      "muls r6, r7\n"
      "add r11, r6\n"
      "subs r0, #1\n"
      "bpl 1b\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "pop {r0}\n"
      "stm r0!, {r4-r7}\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}
#else
inline void Accumulate(Block* block, const int8_t* w0, const int8_t* w1, const int8_t* x0, const int8_t* x1,
                       uint32_t n) {
  int32_t acc00 = block->acc00, acc01 = block->acc01, acc10 = block->acc10, acc11 = block->acc11;
  const auto step = [&] {
    const int32_t a = *x0++, b = *x1++, u = *w0++, v = *w1++;
    acc00 += u * a;
    acc01 += u * b;
    acc10 += v * a;
    acc11 += v * b;
  };
  for (; n >= 4; n -= 4) {
    step();
    step();
    step();
    step();
  }
  for (; n > 0; --n) step();
  *block = {acc00, acc01, acc10, acc11};
}
#endif

class Rows {
 public:
  explicit Rows(const ConvRows& c)
      : c_(c),
        rows_(c.rows),
        row_weights_(uint32_t{c.kernel_w} * c.in_channels),
        filter_(c.kernel_h * row_weights_),
        kernel_h_(c.kernel_h),
        out_stride_(c.out_pixel_stride),
        out_zero_point_(c.out_zero_point),
        act_min_(c.act_min),
        act_max_(c.act_max),
        out_width_(c.out_width) {
    // Pixels [begin, end) have their whole window inside the row.
    begin_ = (c.pad_left + c.stride_w - 1) / c.stride_w;
    const int last = c.in_width + c.pad_left - c.kernel_w;
    end_ = last < 0 ? 0 : last / c.stride_w + 1;
    if (end_ > c.out_width) end_ = c.out_width;
    if (begin_ > end_) begin_ = end_;
  }

  void Run() {
    int8_t* scratch = reinterpret_cast<int8_t*>(c_.scratch);
    ChannelWeights weights(c_, filter_);
    for (uint32_t o = 0; o < c_.out_channels; o += 2) {
      const int8_t* a = weights.Next(scratch);
      const bool pair = o + 1 < c_.out_channels;
      const int8_t* b = pair ? weights.Next(scratch + filter_) : a;
      rows_ = c_.rows;
      for (uint32_t y = 0; y < c_.out_rows; ++y, rows_ += c_.stride_h) {
        Channels(Prepare(o, a, c_.out[y]), Prepare(pair ? o + 1 : o, b, c_.out[y]));
      }
    }
  }

 private:
  // What one output channel needs. Copied: a store of an int8 might alias the
  // tables, so the compiler would read them again for every pixel.
  struct Channel {
    const int8_t* filter;
    int8_t* out;
    int32_t base;  // the bias, and the taps on rows of padding
    int32_t multiplier;
    int32_t shift;
  };

  Channel Prepare(uint32_t o, const int8_t* filter, int8_t* out) const {
    int32_t base = c_.bias[o];
    for (uint32_t k = 0; k < c_.kernel_h; ++k) {
      if (rows_[k] == nullptr) {
        base = WrappingAdd(base, c_.in_zero_point * Sum(filter + k * row_weights_, row_weights_));
      }
    }
    return {filter, out + o, base, c_.multipliers[o], c_.shifts[o]};
  }

  // All pixels of channels a and b (which may be the same).
  void Channels(const Channel& a, const Channel& b) const {
    const uint32_t next = uint32_t{c_.stride_w} * c_.in_channels;
    int x = 0;
    for (; x < begin_; ++x) Edge(x, a, b);
    for (; x + 2 <= end_; x += 2) {
      Block block = {0, 0, 0, 0};
      const uint32_t at = Offset(x);
      uint32_t weights = 0;
      for (uint32_t k = 0; k < kernel_h_; ++k, weights += row_weights_) {
        if (rows_[k] == nullptr) continue;
        const int8_t* pixel = rows_[k] + at;
        Accumulate(&block, a.filter + weights, b.filter + weights, pixel, pixel + next, row_weights_);
      }
      Store(x, a, block.acc00);
      Store(x + 1, a, block.acc01);
      Store(x, b, block.acc10);
      Store(x + 1, b, block.acc11);
    }
    for (; x < end_; ++x) {
      Store(x, a, Pixel(a, Offset(x)));
      Store(x, b, Pixel(b, Offset(x)));
    }
    for (; x < out_width_; ++x) Edge(x, a, b);
  }

  uint32_t Offset(int x) const {
    return static_cast<uint32_t>(x * c_.stride_w - c_.pad_left) * c_.in_channels;
  }

  int32_t Pixel(const Channel& channel, uint32_t at) const {
    int32_t sum = 0;
    for (uint32_t k = 0; k < kernel_h_; ++k) {
      if (rows_[k] != nullptr) sum += Dot(rows_[k] + at, channel.filter + k * row_weights_, row_weights_);
    }
    return sum;
  }

  // A pixel whose window hangs over the row's end, on one side or both.
  void Edge(int x, const Channel& a, const Channel& b) const {
    Store(x, a, EdgePixel(x, a));
    if (b.filter != a.filter) Store(x, b, EdgePixel(x, b));
  }

  int32_t EdgePixel(int x, const Channel& channel) const {
    const int left = x * c_.stride_w - c_.pad_left;
    const int right = c_.in_width - left;  // columns of the row from `left` on
    int begin = left < 0 ? -left : 0;
    int end = right < c_.kernel_w ? right : c_.kernel_w;
    if (begin >= end) begin = end = 0;
    const uint32_t channels = c_.in_channels;
    const uint32_t before = static_cast<uint32_t>(begin) * channels;
    const uint32_t inside = static_cast<uint32_t>(end - begin) * channels;
    const uint32_t after = row_weights_ - before - inside;
    int32_t sum = 0;
    int32_t padded = 0;  // weights on taps with the zero point's value
    for (uint32_t k = 0; k < kernel_h_; ++k) {
      if (rows_[k] == nullptr) continue;  // in the base
      const int8_t* weights = channel.filter + k * row_weights_;
      if (inside > 0)
        sum += Dot(rows_[k] + (left + begin) * static_cast<int>(channels), weights + before, inside);
      padded += Sum(weights, before) + Sum(weights + before + inside, after);
    }
    return sum + c_.in_zero_point * padded;
  }

  // `sum`: of the products, without the base.
  SQUEEZE_ALONE void Store(int x, const Channel& channel, int32_t sum) const {
    const int32_t acc = WrappingAdd(channel.base, sum);
    channel.out[static_cast<uint32_t>(x) * out_stride_] =
        Requantize(acc, channel.multiplier, channel.shift, out_zero_point_, act_min_, act_max_);
  }

  const ConvRows& c_;
  const int8_t* const* rows_;  // of the output row under way
  const uint32_t row_weights_;
  const uint32_t filter_;
  const uint32_t kernel_h_;
  const uint32_t out_stride_;
  const int32_t out_zero_point_;
  const int32_t act_min_;
  const int32_t act_max_;
  const int out_width_;
  int begin_;
  int end_;
};

}  // namespace

void Conv2DRows(const ConvRows& conv) { Rows(conv).Run(); }

}  // namespace squeeze
