// The line that a fault handler sends: no more than the UART's registers and a few bytes of stack are left to
// it.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
#define FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_

#include <stdint.h>

#include "common/fault_record.h"
#include "common/hooks.h"
#ifdef BOARD_USB_VENDOR
#include "usb/serial_port.h"
#endif

namespace fault_text {

#ifdef BOARD_USB_VENDOR
inline bool g_over_usb;  // the port that Put() is for
#endif

inline void Put(uint8_t byte) {
#ifdef BOARD_USB_VENDOR
  if (g_over_usb) {
    usb::PutInFault(byte);
    return;
  }
#endif
  board::UartPut(byte);
}

// Says it on each port, the UART first: of its registers nothing is known that could be wrong.
template <typename Say>
void OnEachPort(Say say) {
#ifdef BOARD_USB_VENDOR
  for (int port = 0; port < 2; ++port) {
    g_over_usb = port == 1;
    say();
  }
#else
  say();
#endif
}

inline void Print(const char* text) {
  for (; *text != '\0'; ++text) Put(static_cast<uint8_t>(*text));
}

inline void Print(const char* label, uint32_t value) {
  Print(label);
  for (int shift = 28; shift >= 0; shift -= 4) {
    Put(static_cast<uint8_t>("0123456789abcdef"[(value >> shift) & 0xF]));
  }
}

// Zero bytes end whatever frame of the link was under way, so that the line stands alone.
inline void Report(const board::Fault& fault) {
  Put(0);
  Print("\r\nFAULT exception=", fault.exception);
  if ((fault.flags & board::kFaultStackOverflow) != 0) Print(" stack overflow");
  if ((fault.flags & board::kFaultPcKnown) != 0) {
    Print(" pc=", fault.pc);
  }
  if ((fault.flags & (board::kFaultPcKnown | board::kFaultLrFound)) != 0) Print(" lr=", fault.lr);
  Print(" sp=", fault.sp);
#ifdef __riscv
  Print(" mtval=", fault.status[0]);
#elif __ARM_ARCH_ISA_THUMB >= 2
  Print(" cfsr=", fault.status[0]);
  Print(" hfsr=", fault.status[1]);
  Print(" mmfar=", fault.status[2]);
  Print(" bfar=", fault.status[3]);
#endif
  Print("\r\n");
  Put(0);
}

inline bool Came() {
  uint8_t byte;
#ifdef BOARD_USB_VENDOR
  if (usb::CameInFault()) return true;
#endif
  return board::UartPoll(&byte);
}

// Until somebody has asked, by any bytes, to hear it again.
inline void WaitForBytes() {
  while (!Came()) board::FeedInFault();
  while (Came()) {
  }
}

// While the line's last bytes leave: a UART's FIFO of 32 takes 3 ms. USB's packets want to be looked after.
inline void Linger() {
  for (uint32_t look = 0; look < 60000; ++look) Came();
}

// Keeps it, says it, and restarts the board. One that has only faulted since it started says it again to
// whoever asks, and then tries once more.
template <typename Say>
[[noreturn]] void Handle(const board::Fault& fault, Say say) {
  bool restart = board::KeepFault(fault);
  for (;;) {
    say();
    if (restart) {
      Linger();
      board::RestartAfterFault();
    }
    WaitForBytes();
    restart = true;
  }
}

}  // namespace fault_text

#endif  // FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
