// The received bytes' ring: filled by the interrupt, emptied by the program. On a board that speaks over its
// own USB, too, the bytes of both ports go into it, and what the program sends goes to the port of the last
// byte.
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "common/hooks.h"
#include "common/isr.h"
#ifdef BOARD_USB_VENDOR
#include "cpu.h"
#include "usb/serial_port.h"
#endif

namespace board {
namespace {

static_assert((kUartRingBytes & (kUartRingBytes - 1)) == 0, "indices run freely and are masked");

// A number that the interrupt and the program share, with one writer. The compilers' own atomics: <atomic> is
// part of a C++ library, and not every toolchain has one.
class Shared {
 public:
  // Sees all that the other side did before it stored the number.
  uint32_t Load() const { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
  void Store(uint32_t value) { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }

 private:
  uint32_t value_ = 0;
};

uint8_t g_ring[kUartRingBytes];
Shared g_received;  // bytes ever received: the interrupt writes
Shared g_read;      // bytes ever read: the program writes
bool g_open;  // before that the counter's calibration runs the handler, on registers that may read anything
Shared g_dropped;  // the interrupt writes
#ifdef BOARD_USB_VENDOR
Shared g_over_usb;  // 1: the last byte came so; the interrupt writes
#endif

constexpr uint32_t kMostBaud = 12000000;
// Of the rate asked for, as a divisor: 2.5 %. A receiver that looks at the middle of each of ten bits bears 5
// % of both ends together. The nRF52840's nearest to 921,600 is 2.1 % off.
constexpr uint32_t kNear = 40;

}  // namespace

__attribute__((weak)) uint32_t UartBaud(uint32_t /*baud*/, bool /*change*/) { return 0; }

uint32_t UartBaudRate(uint32_t baud, bool change) {
#ifdef BOARD_USB_VENDOR
  if (g_over_usb.Load() != 0 && baud != kUartBaud) return baud;
#endif
  if (baud < kUartBaud || baud > kMostBaud) return 0;
  const uint32_t real = UartBaud(baud, false);
  if ((real > baud ? real - baud : baud - real) > baud / kNear) return 0;
  if (change) UartBaud(baud, true);
  return real;
}

void UartOpen() {
  g_open = true;
  UartInit();
}

void ReceiveBody() {
  if (!g_open) return;
  uint32_t received = g_received.Load();
  const uint32_t read = g_read.Load();
  uint32_t dropped = UartOverruns();
  uint8_t byte;
  while (UartPoll(&byte)) {
    if (received - read < kUartRingBytes) {
      g_ring[received++ % kUartRingBytes] = byte;
    } else {
      ++dropped;
    }
#ifdef BOARD_USB_VENDOR
    g_over_usb.Store(0);
#endif
  }
#ifdef BOARD_USB_VENDOR
  usb::OnInterrupt();
  // A packet that finds no room stays where it is, and its host waits: nothing is dropped.
  const auto waiting = static_cast<uint32_t>(usb::Waiting());
  if (waiting > 0 && kUartRingBytes - (received - read) >= waiting) {
    usb::Take(g_ring, kUartRingBytes, received);
    received += waiting;
    g_over_usb.Store(1);
  }
#endif
  g_received.Store(received);
  g_dropped.Store(g_dropped.Load() + dropped);
}

void UartWrite(const uint8_t* data, size_t size) {
#ifdef BOARD_USB_VENDOR
  if (g_over_usb.Load() != 0) {
    usb::Write(data, size);
    return;
  }
#endif
  for (size_t i = 0; i < size; ++i) UartPut(data[i]);
}

size_t UartAvailable() { return g_received.Load() - g_read.Load(); }

size_t UartFree() { return kUartRingBytes - UartAvailable(); }

size_t UartRead(uint8_t* out, size_t max) {
  const size_t available = UartAvailable();
  const size_t count = max < available ? max : available;
  uint32_t read = g_read.Load();
  for (size_t i = 0; i < count; ++i) out[i] = g_ring[read++ % kUartRingBytes];
  g_read.Store(read);
#ifdef BOARD_USB_VENDOR
  if (count > 0 && usb::Waiting() > 0) cpu::RaiseUartInterrupt();  // there is room now
#endif
  return count;
}

uint32_t UartDropped() { return g_dropped.Load(); }

}  // namespace board
