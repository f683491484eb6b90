// 3 x 3 convolution of stride 2 by the two-parallel fast FIR algorithm: see fast_fir.h for arithmetic and
// layout, fast_fir_blocks.cc for the registers of the inner loop. What was measured:
// docs/kernels/fast_fir.md.
#include "engine/dsp/fast_fir.h"
#include "engine/dsp/gemm.h"
#include "engine/dsp/requantize.h"

namespace squeeze {
namespace {

class FastFir {
 public:
  explicit FastFir(const ConvRows& conv)
      : conv_(conv),
        channels_(conv.in_channels),
        padded_(FastFirPaddedChannels(conv.in_channels)),
        across_((uint32_t{conv.out_width} + 1) / 2),
        sums_(reinterpret_cast<int32_t*>(conv.scratch)) {}

  void Run() const {
    const uint32_t tiles = FastFirTiles(conv_.out_width, conv_.out_rows);
    uint32_t fitting = tiles;
    while (fitting > 3 && FastFirBytes(padded_, fitting) > conv_.scratch_bytes) --fitting;
    const uint32_t chunk = GemmChunk(tiles, fitting);
    for (uint32_t begin = 0; begin < tiles; begin += chunk) {
      const uint32_t count = begin + chunk < tiles ? chunk : tiles - begin;
      const Area area = AreaOf(count);
      Transform(begin, count, area);
      Multiply(count, area);
    }
  }

 private:
  // Where things of a chunk of tiles are: inputs, then the table of tiles.
  struct Area {
    GemmGroups groups;
    uint32_t *inputs, *threes_end, *inputs_end;
    int32_t* table;
  };
  Area AreaOf(uint32_t count) const {
    Area area;
    area.groups = GemmGroupsOf(count);
    const uint32_t tile_words = FastFirPairWords(padded_) / 2;
    area.inputs =
        reinterpret_cast<uint32_t*>(conv_.scratch + FastFirFrontBytes(padded_, count < 2 ? 2 : count));
    area.threes_end = area.inputs + 3 * area.groups.threes * tile_words;
    area.inputs_end = area.threes_end + 2 * area.groups.twos * tile_words;
    area.table = reinterpret_cast<int32_t*>(area.inputs_end);
    return area;
  }

  __attribute__((noinline)) void Multiply(uint32_t count, const Area& area) const {
    const PairScales scales(conv_, 9 * channels_);
    FastFirRun run = {};
    run.weights = reinterpret_cast<const uint32_t*>(conv_.weights);
    run.steps = padded_ / 2;
    for (uint32_t o = 0; o < conv_.out_channels; o += 2, run.weights += FastFirPairWords(padded_)) {
      const PairScale scale = scales.At(o);
      run.start[0] = scale.start0;
      run.start[1] = scale.start1;
      if (area.groups.threes > 0) {
        run.sums = sums_;
        run.inputs_end = area.threes_end;
        FastFirThrees(area.inputs, &run);
      }
      if (area.groups.twos > 0) {
        run.sums = sums_ + area.groups.threes * kFastFirGroupSums;
        run.inputs_end = area.inputs_end;
        FastFirTwos(area.threes_end, &run);
      }
      FastFirStore(conv_, scale, o, area.table, count, sums_);
    }
  }

  // The inputs of a chunk, and its table of tiles.
  __attribute__((noinline)) void Transform(uint32_t first, uint32_t count, const Area& area) const {
    uint32_t* inputs = area.inputs;
    int32_t* table = area.table;
    uint32_t y = first / across_ * 2, x = first % across_ * 2;
    uint32_t in_group = 0, groups = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t size = groups < area.groups.threes ? 3 : 2;
      Tile(x, y, size, inputs + in_group);
      if (count == 1) Tile(x, y, size, inputs + 1);
      *table++ = static_cast<int32_t>(4 * (groups * kFastFirGroupSums + 2 * in_group));
      table = Place(x, y, table);
      if (++in_group == size) {
        inputs += size * FastFirPairWords(padded_) / 2;
        ++groups;
        in_group = 0;
      }
      x += 2;
      if (x >= conv_.out_width) {
        x = 0;
        y += 2;
      }
    }
  }

  int32_t* Place(uint32_t x, uint32_t y, int32_t* to) const {
    const uint32_t right = x + 1 < conv_.out_width ? x + 1 : x;
    for (uint32_t row = y + 2; row-- > y;) {
      // Rows may stand in any order in their ring.
      const uint32_t at =
          static_cast<uint32_t>(reinterpret_cast<uintptr_t>(conv_.out[row < conv_.out_rows ? row : y]) -
                                reinterpret_cast<uintptr_t>(conv_.out[0]));
      *to++ = static_cast<int32_t>(at + right * conv_.out_pixel_stride);
      *to++ = static_cast<int32_t>(at + x * conv_.out_pixel_stride);
    }
    return to;
  }

  // The tile of output pixel (x, y): its input rows of 5 pixels, in place if they are all there.
  void Tile(uint32_t x, uint32_t y, uint32_t size, uint32_t* to) const {
    const int32_t left = static_cast<int32_t>(2 * x) - conv_.pad_left;
    const uint32_t in_rows = 2 * conv_.out_rows + 1u;
    const bool inside =
        left >= 0 && left + static_cast<int32_t>(kFastFirSide) <= conv_.in_width && padded_ == channels_;
    const int8_t* rows[kFastFirSide];
    for (uint32_t k = 0; k < kFastFirSide; ++k) {
      const int8_t* const row = 2 * y + k < in_rows ? conv_.rows[2 * y + k] : nullptr;
      if (row != nullptr && inside) {
        rows[k] = row + left * static_cast<int32_t>(channels_);
      } else {
        rows[k] = FastFirCollect(conv_, row, left,
                                 reinterpret_cast<int8_t*>(conv_.scratch) + k * kFastFirSide * padded_);
      }
    }
    FastFirInputs(rows, padded_, size, to);
  }

  const ConvRows& conv_;
  const uint32_t channels_;
  const uint32_t padded_;
  const uint32_t across_;
  int32_t* const sums_;
};

}  // namespace

void ConvFastFirRows(const ConvRows& conv) { FastFir(conv).Run(); }

}  // namespace squeeze
