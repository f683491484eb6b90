// The line that a fault handler sends: no more than the UART's registers and a few bytes of stack are left to
// it.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
#define FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_

#include <stdint.h>

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

// A zero byte ends whatever frame of the link was under way, so that the line stands alone.
inline void Begin(uint32_t exception) {
  Put(0);
  Print("\r\nFAULT exception=", exception);
}

inline void End() {
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
  while (!Came()) {
  }
  while (Came()) {
  }
}

}  // namespace fault_text

#endif  // FIRMWARE_CPP_BOARDS_COMMON_FAULT_TEXT_H_
