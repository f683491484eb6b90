#include "common/memory.h"

#include <stdint.h>
#include <string.h>

#include "board.h"
#include "common/fault_record.h"
#include "common/linker_symbols.h"
#include "common/stack.h"

namespace board {
namespace {

uint32_t Bytes(const void* address) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(address)); }

#if SQUEEZE_CORES == 2
// Until the second core has been launched nothing is written there.
void PaintSecondStack() {
  for (uint32_t* word = linker_second_stack_limit; word < linker_second_stack_top; ++word)
    *word = kStackPaint;
}

uint32_t Used(const uint32_t* limit, const uint32_t* top) {
  const uint32_t* deepest = limit;
  while (deepest < top && *deepest == kStackPaint) ++deepest;
  return Bytes(top) - Bytes(deepest);
}
#endif

}  // namespace

void MemoryInit() {
  memcpy(linker_data_start, linker_data_image, Bytes(linker_data_end) - Bytes(linker_data_start));
  memset(linker_bss_start, 0, Bytes(linker_bss_end) - Bytes(linker_bss_start));
  TakeKeptFault();
#if SQUEEZE_CORES == 2
  PaintSecondStack();
#endif
}

Memory MemoryUse() {
  const uint32_t* deepest = linker_stack_limit;
  while (deepest < linker_stack_top && *deepest == kStackPaint) ++deepest;
  Memory memory;
  memory.flash_used = Bytes(linker_flash_used);
  memory.flash_total = Bytes(linker_flash_total);
  memory.sram_static = Bytes(linker_sram_static);
  memory.stack_used = Bytes(linker_stack_top) - Bytes(deepest);
  memory.stack_reserve = Bytes(linker_stack_top) - Bytes(linker_stack_limit);
  memory.sram_total = Bytes(linker_sram_total);
#if SQUEEZE_CORES == 2
  memory.stack_used += Used(linker_second_stack_limit, linker_second_stack_top);
  memory.stack_reserve += Bytes(linker_second_stack_top) - Bytes(linker_second_stack_limit);
#endif
  return memory;
}

}  // namespace board
