// Cases for kernel_cases, as tests/kernels/case_file.py writes them and the emulator puts them into memory.
// All little-endian, all offsets in bytes.
#ifndef FIRMWARE_CPP_BENCH_CASE_FILE_H_
#define FIRMWARE_CPP_BENCH_CASE_FILE_H_

#include <stdint.h>

namespace bench {

constexpr uint32_t kCasesMagic = 0x45534143;  // "CASE"

struct CasesHeader {
  uint32_t magic;
  uint32_t count;
  uint32_t first_id;  // cases are numbered from here
  uint32_t reserved;
};
static_assert(sizeof(CasesHeader) == 16, "tests/kernels/case_file.py writes 16 bytes");

// One case, on a multiple of 16; its blob follows at once. Offsets count from the record.
struct CaseRecord {
  uint32_t bytes;  // to the next record
  uint32_t blob_bytes;
  uint32_t image_offset;
  uint32_t maps_offset;  // what every row of every buffer must be: [buffer][row][width * channels]
};
static_assert(sizeof(CaseRecord) == 16, "tests/kernels/case_file.py writes 16 bytes");

}  // namespace bench

#endif  // FIRMWARE_CPP_BENCH_CASE_FILE_H_
