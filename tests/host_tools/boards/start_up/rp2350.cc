// RP2350: RESETS, CLOCKS, XOSC, PLL_SYS, pads and UART 0 (RP2350 datasheet), as a debugger's reset leaves
// them: clk_sys on the PLL of another program, the ring oscillator as the boot ROM of revision A3 sets it.
// The waits: 1 crystal, 2 clk_ref to it, 3 PLL out of reset, 4 its lock, 5 clk_sys to the PLL. Core 1 runs an
// earlier program, whose words wait for core 0. 6: its reset, 7: its ROM is silent, 8: it says something else, 9:
// it is silent from the entry on.
#include <deque>
#include <vector>

#include "hardware.h"

namespace hardware {
namespace {

constexpr uint32_t kResets = 0x40020000, kClocks = 0x40010000, kXosc = 0x40048000, kPll = 0x40050000;
constexpr uint32_t kIo = 0x40028000, kPads = 0x40038000, kUart = 0x40070000;
constexpr uint32_t kRefCtrl = kClocks + 0x30, kRefDiv = kClocks + 0x34, kRefSelected = kClocks + 0x38;
constexpr uint32_t kSysCtrl = kClocks + 0x3C, kSysDiv = kClocks + 0x40, kSysSelected = kClocks + 0x44;
constexpr uint32_t kPeriCtrl = kClocks + 0x48, kPeriDiv = kClocks + 0x4C;
constexpr uint32_t kResetIo = 1u << 6, kResetPads = 1u << 9, kResetPll = 1u << 14, kResetUart = 1u << 26;
constexpr uint32_t kPllDown = 1u << 0 | 1u << 5, kPllPostDividersDown = 1u << 3;
constexpr uint32_t kIsolated = 1u << 8, kInput = 1u << 6, kPullUp = 1u << 3, kPullDown = 1u << 2;
constexpr uint32_t kRoscHz = 44000000, kXoscHz = 12000000;
constexpr uint32_t kPsmForceOff = 0x40018004, kPsmCore1 = 1u << 24;
constexpr uint32_t kFifoStatus = 0xD0000050, kFifoWrite = 0xD0000054, kFifoRead = 0xD0000058;
std::deque<uint32_t> g_to_core_0;
std::vector<uint32_t> g_received;  // by the boot ROM: from the 1 on
bool g_in_rom;
Start g_start;
uint32_t g_latched;  // the UART's divider, in 64ths: a write to LCR_H takes it over

uint32_t VcoHz() { return kXoscHz / (Cell(kPll) & 0x3F) * Cell(kPll + 0x8); }

uint32_t PllHz() { return VcoHz() / (Cell(kPll + 0xC) >> 16 & 7) / (Cell(kPll + 0xC) >> 12 & 7); }

bool XoscStable() {
  return Cell(kXosc) == 0xFABAA0 && Cell(kXosc + 0xC) * 256 >= kXoscHz / 1000 && !Broken(1);
}

bool PllLocked() {
  return (Cell(kPll + 0x4) & kPllDown) == 0 && (Cell(kResets) & kResetPll) == 0 && XoscStable() && !Broken(4);
}

uint32_t RefHz() {
  return (Cell(kRefSelected) == 1u << 2 ? kXoscHz : kRoscHz) / (Cell(kRefDiv) >> 16 & 0xFF);
}

void ResetPll() {
  if (Cell(kSysSelected) == 1u << 1) Unsafe("the PLL is reset while the core runs on it");
  Cell(kPll) = 1;
  Cell(kPll + 0x4) = 0x2D;
  Cell(kPll + 0x8) = 0;
  Cell(kPll + 0xC) = 7u << 16 | 7u << 12;
}

void SwitchSys(uint32_t value) {
  const bool to_pll = (value & 1) != 0;
  if (to_pll && Cell(kSysSelected) != 1u << 1) {
    if ((value >> 5 & 7) != 0) Unsafe("clk_sys is switched to something else than the PLL");
    if (!PllLocked() || (Cell(kPll + 0x4) & kPllPostDividersDown) != 0) Unsafe("the PLL is not ready");
    if (VcoHz() < 750000000 || VcoHz() > 1600000000) Unsafe("the VCO is out of its range");
    if (PllHz() / (Cell(kSysDiv) >> 16) > 150000000) Unsafe("the core is too fast");
  }
  if (!(to_pll && Broken(5))) Cell(kSysSelected) = to_pll ? 1u << 1 : 1u << 0;
}

void CheckOutOfReset(uint32_t base) {
  const uint32_t reset = Cell(kResets);
  if ((base == kPll && (reset & kResetPll) != 0) || (base == kUart && (reset & kResetUart) != 0) ||
      (base == kIo && (reset & kResetIo) != 0) || (base == kPads && (reset & kResetPads) != 0)) {
    Unsafe("a block is written while it is in reset");
  }
}

void RomSays(uint32_t word) {
  if (!Broken(7)) g_to_core_0.push_back(Broken(8) ? word + 1 : word);
}

void ResetCore1(bool held) {
  if (!held && !g_in_rom) RomSays(0);
  g_in_rom = !held;
  g_received.clear();
}

// RP2350 datasheet 5.3.
void ToCore1(uint32_t word) {
  if (!g_in_rom) Unsafe("core 1 gets words of which its program knows nothing");
  if (word == 0 || (g_received.empty() && word != 1)) {
    g_received.clear();
    return RomSays(0);
  }
  g_received.push_back(word);
  if (g_received.size() == 4) {
    if (Broken(9)) return;
    g_start = {g_received[1], g_received[2], g_received[3]};
  }
  RomSays(word);
}

uint32_t FromCore1() {
  if (g_to_core_0.empty()) Unsafe("a word is read that is not there");
  const uint32_t word = g_to_core_0.empty() ? 0 : g_to_core_0.front();
  if (!g_to_core_0.empty()) g_to_core_0.pop_front();
  return word;
}

}  // namespace

Start SecondCore() { return g_start; }

void Reset() {
  g_to_core_0 = {7, 1};
  Cell(kResets) = 0x1FFFFFFF & ~kResetPll;
  Cell(kXosc) = 0xFABAA0;
  Cell(kXosc + 0xC) = 47;
  Cell(kPll) = 1;
  Cell(kPll + 0x8) = 125;
  Cell(kPll + 0xC) = 6u << 16 | 2u << 12;
  Cell(kRefCtrl) = 0;
  Cell(kRefDiv) = 4u << 16;
  Cell(kRefSelected) = 1u << 0;
  Cell(kSysCtrl) = 1;
  Cell(kSysDiv) = 1u << 16;
  Cell(kSysSelected) = 1u << 1;
  Cell(kPeriDiv) = 2u << 16;
  for (uint32_t pin = 0; pin < 2; ++pin) {
    Cell(kIo + 0x4 + 8 * pin) = 0x1F;
    Cell(kPads + 0x4 + 4 * pin) = 0x116;
  }
}

uint32_t Read(uint32_t address) {
  if (address == kResets + 0x8) return ~(Cell(kResets) | (Broken(3) ? kResetPll : 0)) & 0x1FFFFFFF;
  if (address == kXosc + 0x4) return XoscStable() ? 1u << 31 : 0;
  if (address == kPll) return Cell(kPll) | (PllLocked() ? 1u << 31 : 0);
  if (address == kPsmForceOff && Broken(6)) return 0;
  if (address == kFifoStatus) return 2u | (g_to_core_0.empty() ? 0u : 1u);
  if (address == kFifoRead) return FromCore1();
  return Cell(address);
}

// Each register has aliases whose writes toggle, set or clear bits (2.1.3).
void Write(uint32_t address, uint32_t value) {
  const uint32_t alias = address & 0x3000, before = Cell(address & ~0x3000u);
  address &= ~0x3000u;
  if (alias == 0x1000) value ^= before;
  if (alias == 0x2000) value |= before;
  if (alias == 0x3000) value = before & ~value;
  CheckOutOfReset(address & ~0xFFFu);
  Cell(address) = value;
  if (address == kResets && (value & ~before & kResetPll) != 0) ResetPll();
  if (address == kRefCtrl && !((value & 3) == 2 && Broken(2))) Cell(kRefSelected) = 1u << (value & 3);
  if (address == kRefCtrl && (value & 3) == 2 && !XoscStable()) Unsafe("the crystal is not stable");
  if (address == kSysCtrl) SwitchSys(value);
  if (address == kPsmForceOff) ResetCore1((value & kPsmCore1) != 0);
  if (address == kFifoWrite) ToCore1(value);
  if (address == kUart + 0x2C) g_latched = Cell(kUart + 0x24) * 64 + Cell(kUart + 0x28);
  for (uint32_t pin = 0; pin < 2; ++pin) {
    const bool freed = address == kPads + 0x4 + 4 * pin && (before & ~value & kIsolated) != 0;
    if (freed && Cell(kIo + 0x4 + 8 * pin) != 2) Unsafe("a pin is let go before its function is chosen");
  }
}

uint32_t Call(uint32_t /*address*/, uint32_t /*a*/, uint32_t /*b*/, uint32_t /*c*/, uint32_t /*d*/) {
  Unsafe("the boot ROM is called");
  return 0;
}

uint32_t CoreHz() { return Cell(kSysSelected) == 1u << 1 ? PllHz() / (Cell(kSysDiv) >> 16) : RefHz(); }

uint32_t Baud() {
  const uint32_t transmit = Cell(kPads + 0x4), receive = Cell(kPads + 0x8);
  const bool pads = (transmit & (kIsolated | 1u << 7)) == 0 && (receive & kIsolated) == 0;
  const bool line = (receive & (kInput | kPullUp | kPullDown)) == (kInput | kPullUp);
  const bool functions = Cell(kIo + 0x4) == 2 && Cell(kIo + 0xC) == 2;
  const bool uart = Cell(kUart + 0x30) == 0x301 && Cell(kUart + 0x2C) == 0x70 && Cell(kUart + 0x38) == 0x50;
  if (!pads || !line || !functions || !uart || (Cell(kPeriCtrl) & 0xCE0) != 1u << 11) return 0;
  return CoreHz() / (Cell(kPeriDiv) >> 16) * 4 / g_latched;
}

}  // namespace hardware
