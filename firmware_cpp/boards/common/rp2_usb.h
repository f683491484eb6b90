// The USB device controller of an RP2040 or RP2350: the hooks of usb/controller.h (RP2040 datasheet 4.1,
// RP2350 datasheet 12.7). Included by the chip's source behind rp2.h; beside what that wants, the chip gives
// kPllUsb, kClkUsb, their bits in RESETS, and ResetToLoader(). Known to remain: RP2040-E5 (steppings B0 and
// B1: behind a busy hub the bus's reset may not end) and RP2040-E15 (the controller may hang after certain
// errors on the bus) have no workaround here. The RP2350 has neither.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_RP2_USB_H_
#define FIRMWARE_CPP_BOARDS_COMMON_RP2_USB_H_

#include <stdint.h>

#include "common/rp2.h"
#include "usb/controller.h"

namespace board {
namespace rp2 {

constexpr uint32_t kClkUsbCtrl = kClkUsb;
constexpr uint32_t kClkUsbEnable = 1u << 11;  // from PLL_USB: AUXSRC 0
constexpr uint32_t kClkUsbDiv = kClkUsb + 0x04;

// 12 MHz * 100 / 5 / 5 = 48 MHz; VCO 1200 MHz, of 750 to 1600.
constexpr Pll kUsbPll = {kPllUsb, kResetPllUsb, 100, 5, 5};
static_assert(kXoscHz * kUsbPll.multiplier / kUsbPll.divider1 / kUsbPll.divider2 == 48000000);

// The memory that the processor and the controller share (RP2040 datasheet 4.1.2.5).
constexpr uint32_t kDpram = 0x50100000;
constexpr uint32_t kDpramControlBytes = 0x100;
constexpr uint32_t kEndpointControl = kDpram + 0x08 - 8;  // of endpoint 1 and on: 8 bytes each
constexpr uint32_t kEndpointEnable = 1u << 31;
constexpr uint32_t kEndpointInterrupt = 1u << 29;  // for each buffer
constexpr uint32_t kEndpointBulk = 2u << 26;
constexpr uint32_t kEndpointNotices = 3u << 26;
constexpr uint32_t kBufferControl = kDpram + 0x80;  // of endpoint 0 and on: to the host, from the host
constexpr uint32_t kBufferFull = 1u << 15;
constexpr uint32_t kBufferData1 = 1u << 13;
constexpr uint32_t kBufferStall = 1u << 11;
constexpr uint32_t kBufferAvailable = 1u << 10;  // the controller's, until it has done with it
constexpr uint32_t kBufferSizeMask = 0x3FF;
// Buffers: the place of the first is the chip's.
constexpr uint32_t kControlBuffer = 0x100, kFromHostBuffer = 0x180, kToHostBuffer = 0x1C0,
                   kNoticeBuffer = 0x240;

// Registers (RP2040 datasheet 4.1.4).
constexpr uint32_t kUsb = 0x50110000;
constexpr uint32_t kUsbAddress = kUsb + 0x00;
constexpr uint32_t kUsbMain = kUsb + 0x40;
constexpr uint32_t kUsbMainEnable = 1u << 0;  // as a device; without PHY_ISO, which the RP2350 sets at reset
constexpr uint32_t kUsbSie = kUsb + 0x4C;
constexpr uint32_t kUsbSieControlInterrupt = 1u << 29;  // for each buffer of endpoint 0
constexpr uint32_t kUsbSiePullUp = 1u << 16;
constexpr uint32_t kUsbStatus = kUsb + 0x50;  // ones clear
constexpr uint32_t kUsbStatusReset = 1u << 19;
constexpr uint32_t kUsbStatusSetup = 1u << 17;
constexpr uint32_t kUsbStatusSuspended = 1u << 4;
constexpr uint32_t kUsbBuffers = kUsb + 0x58;  // done; ones clear
constexpr uint32_t kUsbAbort = kUsb + 0x60;
constexpr uint32_t kUsbAbortDone = kUsb + 0x64;  // ones clear
constexpr uint32_t kUsbStallArm = kUsb + 0x68;
constexpr uint32_t kUsbStallControl = 3u << 0;  // both directions
constexpr uint32_t kUsbMuxing = kUsb + 0x74;
constexpr uint32_t kUsbMuxingPhy = 1u << 0;
constexpr uint32_t kUsbMuxingSoft = 1u << 3;
constexpr uint32_t kUsbPower = kUsb + 0x78;
constexpr uint32_t kUsbPowerVbus =
    1u << 3 | 1u << 2;  // VBUS is there, whatever its pin says: a Pico has none for it
constexpr uint32_t kUsbInterrupts = kUsb + 0x90;
constexpr uint32_t kUsbInterruptSetup = 1u << 16;
constexpr uint32_t kUsbInterruptReset = 1u << 12;
constexpr uint32_t kUsbInterruptBuffers = 1u << 4;

constexpr uint32_t kCpuId = 0xD0000000;  // SIO

// An abort is over when the packet under way is, after 60 us at most; a look takes over 8 cycles.
constexpr uint32_t kAbortLimit = 2000;

inline uint32_t BufferControl(uint32_t endpoint, usb::Direction direction) {
  return kBufferControl + 8 * endpoint + 4 * static_cast<uint32_t>(direction);
}

inline uint32_t EndpointControl(uint32_t endpoint, usb::Direction direction) {
  return kEndpointControl + 8 * endpoint + 4 * static_cast<uint32_t>(direction);
}

inline volatile uint8_t* Dpram(uint32_t offset) {
  return reinterpret_cast<volatile uint8_t*>(uintptr_t{kDpram} + offset);
}

inline uint32_t ToHostBuffer(uint32_t endpoint, uint32_t slot) {
  return endpoint == usb::kControl ? kControlBuffer : kToHostBuffer + slot * usb::kPacketBytes;
}

// AVAILABLE last: the controller's clock is another one, and must have seen all else before (RP2040 datasheet
// 4.1.2.5.1: three of its cycles, taken for 12 of the processor's).
inline void Arm(uint32_t endpoint, usb::Direction direction, uint32_t value) {
  const uint32_t control = BufferControl(endpoint, direction);
  Register(control) = value;
  asm volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop" ::: "memory");
  Register(control) = value | kBufferAvailable;
}

inline bool UsbClock() {
  Register(kClkUsbCtrl) = 0;
  Register(kResets + kSet) = kUsbPll.reset | kResetUsb;  // as from reset, whatever was before
  if (!PllStart(kUsbPll)) return false;
  Register(kClkUsbDiv) = kDivideByOne;
  Register(kClkUsbCtrl) = kClkUsbEnable;
  return true;
}

}  // namespace rp2
}  // namespace board

namespace usb {

bool ControllerStart() {
  using namespace board::rp2;
  if (!UsbClock() || !Release(kResetUsb)) return false;
  for (uint32_t at = 0; at < kDpramControlBytes; at += 4) Register(kDpram + at) = 0;
  Register(kUsbMuxing) = kUsbMuxingPhy | kUsbMuxingSoft;
  Register(kUsbPower) = kUsbPowerVbus;
  Register(kUsbMain) = kUsbMainEnable;
  Register(kUsbInterrupts) = kUsbInterruptSetup | kUsbInterruptReset | kUsbInterruptBuffers;
  Register(kUsbSie) = kUsbSieControlInterrupt | kUsbSiePullUp;
  return true;
}

Events TakeEvents() {
  using namespace board::rp2;
  const uint32_t done = Register(kUsbBuffers);
  const uint32_t status = Register(kUsbStatus) & (kUsbStatusReset | kUsbStatusSetup);
  if (done != 0) Register(kUsbBuffers) = done;
  if (status != 0) Register(kUsbStatus) = status;
  return {(status & kUsbStatusReset) != 0, (status & kUsbStatusSetup) != 0, done};
}

void ReadSetupPacket(uint8_t* bytes) {
  for (uint32_t i = 0; i < 8; ++i) bytes[i] = board::rp2::Dpram(0)[i];
}

void SetAddress(uint32_t address) { board::rp2::Register(board::rp2::kUsbAddress) = address; }

void OpenEndpoints() {
  using namespace board::rp2;
  constexpr uint32_t kEnable = kEndpointEnable | kEndpointInterrupt;
  Disarm(kData, Direction::kToHost);
  Register(EndpointControl(kNotice, Direction::kToHost)) = kEnable | kEndpointNotices | kNoticeBuffer;
  Register(EndpointControl(kData, Direction::kToHost)) = kEnable | kEndpointBulk | kToHostBuffer;
  Register(EndpointControl(kData, Direction::kFromHost)) = kEnable | kEndpointBulk | kFromHostBuffer;
}

volatile uint8_t* SendBuffer(uint32_t endpoint, uint32_t slot) {
  return board::rp2::Dpram(board::rp2::ToHostBuffer(endpoint, slot));
}

volatile const uint8_t* ReceiveBuffer(uint32_t endpoint) {
  return board::rp2::Dpram(endpoint == kControl ? board::rp2::kControlBuffer : board::rp2::kFromHostBuffer);
}

uint32_t Received(uint32_t endpoint) {
  using namespace board::rp2;
  return Register(BufferControl(endpoint, Direction::kFromHost)) & kBufferSizeMask;
}

void Send(uint32_t endpoint, uint32_t slot, uint32_t bytes, bool toggle) {
  using namespace board::rp2;
  if (endpoint != kControl) {
    cortex_m::SetField(EndpointControl(endpoint, Direction::kToHost), 0xFFFF, ToHostBuffer(endpoint, slot));
  }
  Arm(endpoint, Direction::kToHost, bytes | kBufferFull | (toggle ? kBufferData1 : 0));
}

void Receive(uint32_t endpoint, bool toggle) {
  using namespace board::rp2;
  Arm(endpoint, Direction::kFromHost, kPacketBytes | (toggle ? kBufferData1 : 0));
}

void Disarm(uint32_t endpoint, Direction direction) {
  using namespace board::rp2;
  const uint32_t control = BufferControl(endpoint, direction);
  if ((Register(control) & kBufferAvailable) == 0) return;
  const uint32_t bit = Done(endpoint, direction);
  Register(kUsbAbort) = bit;
  cortex_m::WaitFor(kUsbAbortDone, bit, bit, kAbortLimit);
  Register(control) = 0;
  Register(kUsbAbortDone) = bit;
  Register(kUsbAbort) = 0;
  Register(kUsbBuffers) = bit;
}

void Stall() {
  using namespace board::rp2;
  Register(kUsbStallArm) = kUsbStallControl;
  Register(BufferControl(kControl, Direction::kToHost)) = kBufferStall;
  Register(BufferControl(kControl, Direction::kFromHost)) = kBufferStall;
}

bool Suspended() {
  using namespace board::rp2;
  return (Register(kUsbStatus) & kUsbStatusSuspended) != 0;
}

bool OnFirstCore() { return board::rp2::Register(board::rp2::kCpuId) == 0; }

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_COMMON_RP2_USB_H_
