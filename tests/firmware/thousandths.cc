// Prints mlperf_tiny::Thousandths of the floats, as 8 hexadecimal digits, that come line by line.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "mlperf_tiny/commands.h"

int main() {
  uint32_t bits;
  while (std::scanf("%" SCNx32, &bits) == 1) {
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    std::printf("%" PRId64 "\n", mlperf_tiny::Thousandths(value));
  }
}
