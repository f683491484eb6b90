// The vector table: ARMv7-M reference manual (DDI 0403E) B1.5.2 and B1.5.3.
#include <stdint.h>

#include "board_config.h"
#include "common/isr.h"
#include "common/linker_symbols.h"
#include "cortex_m/handlers.h"

namespace {

constexpr uint32_t kSystemExceptions = 15;
constexpr uint32_t kReset = 1;
constexpr uint32_t kSysTick = 15;

using Handler = void (*)();

struct VectorTable {
  uint32_t* stack_top;
  Handler handlers[kSystemExceptions + board::kInterrupts];  // exception number n is at n - 1
};

constexpr VectorTable MakeVectorTable() {
  VectorTable table = {};
  table.stack_top = linker_stack_top;
  for (Handler& handler : table.handlers) handler = FaultHandler;
  table.handlers[kReset - 1] = ResetHandler;
  table.handlers[kSysTick - 1] = SysTickHandler;
  table.handlers[kSystemExceptions + board::kUartInterrupt] = UartHandler;
#ifdef BOARD_USB_VENDOR
  table.handlers[kSystemExceptions + board::kUsbInterrupt] = UartHandler;
#endif
  return table;
}

}  // namespace

// `extern` gives a const the linkage that the linker script's KEEP and startup.cc need.
extern "C" {
extern const VectorTable vector_table;
__attribute__((section(".vectors"), used)) constexpr VectorTable vector_table = MakeVectorTable();

void SysTickHandler() { board::RunIsr(board::WrapBody); }
void UartHandler() { board::RunIsr(board::ReceiveBody); }
}
