// The received bytes' ring: filled by the interrupt, emptied by the program.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "board.h"
#include "common/handlers.h"
#include "common/hooks.h"
#include "common/isr.h"

namespace board {
namespace {

static_assert((kUartRingBytes & (kUartRingBytes - 1)) == 0, "indices run freely and are masked");

uint8_t g_ring[kUartRingBytes];
// Each index has one writer: bytes ever received (the interrupt) and ever read (the program).
std::atomic<uint32_t> g_received;
std::atomic<uint32_t> g_read;
std::atomic<uint32_t> g_dropped;

void ReceiveBody() {
  uint32_t received = g_received.load(std::memory_order_relaxed);
  const uint32_t read = g_read.load(std::memory_order_acquire);
  uint32_t dropped = UartOverruns();
  uint8_t byte;
  while (UartPoll(&byte)) {
    if (received - read < kUartRingBytes) {
      g_ring[received++ % kUartRingBytes] = byte;
    } else {
      ++dropped;
    }
  }
  g_received.store(received, std::memory_order_release);
  g_dropped.store(g_dropped.load(std::memory_order_relaxed) + dropped, std::memory_order_relaxed);
}

}  // namespace

void UartWrite(const uint8_t* data, size_t size) {
  for (size_t i = 0; i < size; ++i) UartPut(data[i]);
}

size_t UartAvailable() {
  return g_received.load(std::memory_order_acquire) - g_read.load(std::memory_order_relaxed);
}

size_t UartFree() { return kUartRingBytes - UartAvailable(); }

size_t UartRead(uint8_t* out, size_t max) {
  const size_t available = UartAvailable();
  const size_t count = max < available ? max : available;
  uint32_t read = g_read.load(std::memory_order_relaxed);
  for (size_t i = 0; i < count; ++i) out[i] = g_ring[read++ % kUartRingBytes];
  g_read.store(read, std::memory_order_release);
  return count;
}

uint32_t UartDropped() { return g_dropped.load(std::memory_order_relaxed); }

}  // namespace board

extern "C" void UartHandler() { board::RunIsr(board::ReceiveBody); }
