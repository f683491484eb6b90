// What the check of a model's signature costs: prints it line by line, `end` is the last, and again for each
// byte that comes.
//   unit instructions|cycles|microseconds
//   check C R         what it took; R is 1 where the signature was found right, as it is
//   stack B R         deepest use, and the reserve
#include <stddef.h>
#include <stdint.h>

#include "bench/unit_line.h"
#include "board.h"
#include "common/marks.h"
#include "common/text.h"
#include "monocypher.h"
#include "update/manifest.h"

// For those who count from outside (host_tools/cycles/marks.py): 1 the check, 0 all else.
BOARD_MARKS(2);

namespace {

// The bytes 0, 1, 2, ... as long as a manifest, signed by the key whose seed is 0, 1, 2, ..., 31
// (tests/update/test_keys.py makes them again).
constexpr uint8_t kKey[32] = {0xf6, 0x53, 0x33, 0xfa, 0x63, 0x03, 0xb6, 0xa2, 0x3d, 0xef, 0xd7,
                              0xde, 0x2a, 0xf8, 0xaa, 0x46, 0x1c, 0xb0, 0x47, 0xcc, 0xbf, 0x12,
                              0xd4, 0xed, 0xd2, 0x9e, 0xf3, 0xb1, 0xeb, 0xa6, 0x70, 0x6b};
constexpr uint8_t kSignature[64] = {
    0xfa, 0xe5, 0x48, 0x0f, 0x4c, 0xc3, 0x1a, 0x0b, 0x9b, 0x42, 0x63, 0x3e, 0xc3, 0xc6, 0xb2, 0x51,
    0x77, 0x6b, 0xe6, 0x9c, 0x80, 0xa7, 0xd1, 0x55, 0x0a, 0xfa, 0x9c, 0xaa, 0x12, 0xe3, 0x4b, 0x9f,
    0x68, 0x3b, 0x4b, 0x24, 0x5b, 0x45, 0x1d, 0x42, 0xed, 0x47, 0x32, 0x11, 0xb2, 0x05, 0x1a, 0xb8,
    0x5d, 0x9b, 0x55, 0x47, 0xa3, 0x4e, 0x92, 0xf5, 0x1c, 0xb0, 0x9d, 0xac, 0x89, 0xf1, 0x99, 0x07};

void Measure() {
  uint8_t message[update::kSignedBytes];
  for (size_t i = 0; i < sizeof(message); ++i) message[i] = static_cast<uint8_t>(i);
  const uint64_t before = board::Counter();
  board::Mark(1);
  const int wrong = crypto_eddsa_check(kSignature, kKey, message, sizeof(message));
  board::Mark(0);
  const uint64_t spent = board::Counter() - before;
  const board::Memory memory = board::MemoryUse();
  board::PrintLine(bench::UnitLine());
  board::PrintLine("check", spent, wrong == 0 ? 1 : 0);
  board::PrintLine("stack", memory.stack_used, memory.stack_reserve);
  board::PrintLine("end");
}

}  // namespace

int main() {
  board::Init();
  Measure();
  for (;;) {
    uint8_t byte;
    if (board::UartRead(&byte, 1) > 0) Measure();
    board::WaitForInterrupt();
  }
}
