// Plays a host for a board's USB serial port, compiled for this machine: main STEP, the wait to fail (-1: none).
// Prints what comes of each step: words, and bytes in hexadecimal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>

#include "hardware.h"
#include "usb/controller.h"
#include "usb/serial_port.h"

namespace {

using hardware::Cell;

constexpr uint32_t kDpram = 0x50100000, kUsb = 0x50110000;
constexpr uint32_t kFull = 1u << 15, kData1 = 1u << 13, kStall = 1u << 11, kAvailable = 1u << 10, kSize = 0x3FF;

uint8_t* Bytes(uint32_t offset) { return reinterpret_cast<uint8_t*>(uintptr_t{kDpram} + offset); }
uint32_t& Control(uint32_t endpoint, bool from_host) {
  return Cell(kDpram + 0x80 + 8 * endpoint + (from_host ? 4 : 0));
}
uint32_t Place(uint32_t endpoint, bool from_host) {
  return endpoint == 0 ? 0x100 : Cell(kDpram + 8 * endpoint + (from_host ? 4 : 0)) & 0xFFC0;
}

void Setup(std::initializer_list<uint8_t> packet) {
  memcpy(Bytes(0), packet.begin(), 8);
  Cell(kUsb + 0x50) |= 1u << 17;
  usb::OnInterrupt();
}

// A packet for the host: "DATA1 <hex>", or why there is none.
std::string Give(uint32_t endpoint) {
  uint32_t& control = Control(endpoint, false);
  if ((control & kStall) != 0) return "stall";
  if ((control & kAvailable) == 0) return "nak";
  std::string found = (control & kData1) != 0 ? "DATA1" : "DATA0";
  if ((control & kFull) == 0) found += " not full";
  found += ' ';
  for (uint32_t i = 0; i < (control & kSize); ++i) {
    char text[3];
    snprintf(text, sizeof(text), "%02x", Bytes(Place(endpoint, false))[i]);
    found += text;
  }
  control &= ~(kAvailable | kFull);
  Cell(kUsb + 0x58) |= 1u << (2 * endpoint);
  usb::OnInterrupt();
  return found;
}

std::string Take(uint32_t endpoint, const std::string& bytes) {
  uint32_t& control = Control(endpoint, true);
  if ((control & kStall) != 0) return "stall";
  if ((control & kAvailable) == 0) return "nak";
  const std::string found = (control & kData1) != 0 ? "DATA1" : "DATA0";
  memcpy(Bytes(Place(endpoint, true)), bytes.data(), bytes.size());
  control = (control & ~(kAvailable | kSize)) | static_cast<uint32_t>(bytes.size()) | kFull;
  Cell(kUsb + 0x58) |= 1u << (2 * endpoint + 1);
  usb::OnInterrupt();
  return found;
}

void Say(const char* what, const std::string& found) { printf("%s: %s\n", what, found.c_str()); }

std::string TakeFromRing() {
  uint8_t ring[128];
  const size_t size = usb::Waiting();
  if (size == 0) return "";
  usb::Take(ring, sizeof(ring), 100);  // over the end of it
  std::string found;
  for (size_t i = 0; i < size; ++i) found += static_cast<char>(ring[(100 + i) % sizeof(ring)]);
  return found;
}

void Write(const std::string& text) { usb::Write(reinterpret_cast<const uint8_t*>(text.data()), text.size()); }

void BusReset() {
  Cell(kUsb + 0x50) |= 1u << 19;
  usb::OnInterrupt();
}

void Find() {
  Setup({0x80, 6, 0, 1, 0, 0, 64, 0});
  Say("device", Give(0));
  Say("its status", Take(0, ""));
  Setup({0x00, 5, 9, 0, 0, 0, 0, 0});
  printf("address before its status: %u\n", Cell(kUsb));
  Say("address", Give(0));
  printf("address after its status: %u\n", Cell(kUsb));
  Setup({0x80, 6, 0, 2, 0, 0, 255, 0});
  Say("configuration", Give(0));
  Say("its rest", Give(0));
  Say("its end", Give(0));
  Say("its status", Take(0, ""));
  Setup({0x00, 9, 1, 0, 0, 0, 0, 0});
  Say("configured", Give(0));
}

void AskFor1200Baud() {
  Setup({0x21, 0x20, 0, 0, 0, 0, 7, 0});
  Say("line coding", Take(0, std::string("\xB0\x04\0\0\0\0\x08", 7)));
  Say("its status", Give(0));
}

}  // namespace

int main(int /*count*/, char** arguments) {
  hardware::Break(atoi(arguments[1]));
  hardware::Reset();
  Write("into nothing");
  usb::Open();
  printf("pull-up: %u\n", Cell(kUsb + 0x4C) >> 16 & 1);
  if ((Cell(kUsb + 0x4C) >> 16 & 1) == 0) {
    usb::OnInterrupt();  // the UART's handler looks, too
    return 0;
  }
  BusReset();
  Find();
  Say("from the host", Take(2, "hello"));
  Say("the next at once", Take(2, "again"));
  Say("in the ring", TakeFromRing());
  Say("the next then", Take(2, "again"));
  Say("in the ring", TakeFromRing());
  Write(std::string(64, 'a'));
  Write("bc");
  Say("to the host", Give(2));
  Say("its rest", Give(2));
  Write(std::string(64, 'd'));
  Say("a full packet", Give(2));
  Say("its end", Give(2));
  Say("nothing more", Give(2));
  Write(std::string(300, 'e'));  // of which nobody takes any: two packets wait, the rest is lost
  Say("late", Give(2));
  Say("late", Give(2));
  Say("later", Give(2));
  Setup({0x80, 6, 0, 2, 0, 0, 255, 0});  // left alone half-way
  Setup({0x80, 6, 3, 3, 9, 4, 255, 0});
  Say("serial number", Give(0));
  Write("f");
  BusReset();
  printf("address after a reset: %u\n", Cell(kUsb));
  Write("into nothing");
  Find();
  Say("from the host", Take(2, "hello"));
  AskFor1200Baud();
  BusReset();  // another host, which sets no speed
  Find();
  Setup({0x21, 0x22, 0, 0, 0, 0, 0, 0});
  Say("closed by another host", Give(0));
  AskFor1200Baud();
  Setup({0x21, 0x22, 3, 0, 0, 0, 0, 0});
  Say("open", Give(0));
  Setup({0x21, 0x22, 0, 0, 0, 0, 0, 0});
  printf("before the status\n");
  Say("closed", Give(0));
}
