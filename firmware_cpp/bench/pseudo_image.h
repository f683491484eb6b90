// An image that costs no memory: its rows are windows of the model's own bytes.
#ifndef FIRMWARE_CPP_BENCH_PSEUDO_IMAGE_H_
#define FIRMWARE_CPP_BENCH_PSEUDO_IMAGE_H_

#include <stdint.h>

namespace bench {

// Where row `row` starts in a blob of `blob_bytes`, on a multiple of 4; the same in
// host_tools/bench/measure.py. The blob must be longer than a row.
constexpr uint32_t RowOffset(uint32_t row, uint32_t row_bytes, uint32_t blob_bytes) {
  return row * row_bytes % (blob_bytes - row_bytes) / 4 * 4;
}

}  // namespace bench

#endif  // FIRMWARE_CPP_BENCH_PSEUDO_IMAGE_H_
