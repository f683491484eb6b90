#include "usb/requests.h"

#include <stdint.h>

#include "usb/controller.h"

namespace usb {
namespace {

// bmRequestType and bRequest in one (USB 2.0 tables 9-3 and 9-4). The recipient's bits stay out: what each
// request is for is known from the request.
constexpr uint32_t Code(bool to_host, uint32_t kind, uint32_t request) {
  return (to_host ? 0x8000u : 0u) | kind << 8 | request;
}
constexpr uint32_t kStandard = 0x00, kClass = 0x20, kKindMask = 0x60;
constexpr uint32_t kGetStatus = Code(true, kStandard, 0);
constexpr uint32_t kClearFeature = Code(false, kStandard, 1);
constexpr uint32_t kSetAddress = Code(false, kStandard, 5);
constexpr uint32_t kGetDescriptor = Code(true, kStandard, 6);
constexpr uint32_t kGetConfiguration = Code(true, kStandard, 8);
constexpr uint32_t kSetConfiguration = Code(false, kStandard, 9);
constexpr uint32_t kGetInterface = Code(true, kStandard, 10);
constexpr uint32_t kSetInterface = Code(false, kStandard, 11);
constexpr uint32_t kHalt = 0;        // feature of an endpoint
constexpr uint32_t kToEndpoint = 2;  // the recipient
constexpr uint32_t kMostConfiguration = 1;

// PSTN 1.2 table 13.
constexpr uint32_t kSetLineCoding = Code(false, kClass, 0x20);
constexpr uint32_t kGetLineCoding = Code(true, kClass, 0x21);
constexpr uint32_t kSetControlLineState = Code(false, kClass, 0x22);
constexpr uint32_t kSendBreak = Code(false, kClass, 0x23);
constexpr uint32_t kTerminalReady = 1;  // DTR

// A port that is opened at 1200 baud and closed: Arduino's way to ask for the boot loader, which many know.
constexpr uint32_t kLoaderBaud = 1200;

constexpr uint8_t kZeros[2] = {};

constexpr Reply kStall = {Answer::kStall, {nullptr, 0}, Effect::kNone, 0};
constexpr Reply Done(Effect effect = Effect::kNone, uint32_t value = 0) {
  return {Answer::kDone, {nullptr, 0}, effect, static_cast<uint8_t>(value)};
}
constexpr Reply Data(const uint8_t* bytes, uint32_t size) {
  return {Answer::kData, {bytes, size}, Effect::kNone, 0};
}

constexpr uint32_t Half(const uint8_t* bytes) { return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8; }

}  // namespace

Reply Requests::OnSetup(const uint8_t* setup) {
  return (setup[0] & kKindMask) == kClass ? OnClass(setup) : OnStandard(setup);
}

Reply Requests::OnStandard(const uint8_t* setup) {
  const uint32_t value = Half(setup + 2), index = Half(setup + 4);
  switch (Code((setup[0] & 0x80) != 0, setup[0] & kKindMask, setup[1])) {
    case kGetStatus:  // powered by the bus, no remote wake-up; not halted
      return Data(kZeros, 2);
    case kClearFeature:
      if ((setup[0] & 0x1F) != kToEndpoint || value != kHalt) return kStall;
      if (index == (0x80 | kData)) return Done(Effect::kUnhaltedToHost);
      if (index == kData) return Done(Effect::kUnhaltedFromHost);
      return Done();
    case kSetAddress:
      return value > 127 ? kStall : Done(Effect::kAddress, value);
    case kGetDescriptor: {
      const Bytes found = FindDescriptor(value);
      return found.data == nullptr ? kStall : Data(found.data, found.size);
    }
    case kGetConfiguration:
      return Data(&configuration_, 1);
    case kSetConfiguration:
      if (value > kMostConfiguration) return kStall;
      configuration_ = static_cast<uint8_t>(value);
      return Done(value == 0 ? Effect::kDeconfigured : Effect::kConfigured);
    case kGetInterface:
      return Data(kZeros, 1);
    case kSetInterface:
      return value == 0 ? Done() : kStall;
    default:
      return kStall;
  }
}

Reply Requests::OnClass(const uint8_t* setup) {
  switch (Code((setup[0] & 0x80) != 0, kClass, setup[1])) {
    case kSetLineCoding:
      return {Answer::kReceive, {nullptr, 0}, Effect::kNone, 0};
    case kGetLineCoding:
      return Data(line_.bytes, sizeof(line_.bytes));
    case kSetControlLineState: {
      const uint32_t baud = Half(line_.bytes) | Half(line_.bytes + 2) << 16;
      const bool ready = (Half(setup + 2) & kTerminalReady) != 0;
      return Done(baud == kLoaderBaud && !ready ? Effect::kLoader : Effect::kNone);
    }
    case kSendBreak:
      return Done();
    default:
      return kStall;
  }
}

void Requests::OnReceived(const uint8_t* bytes, uint32_t size) {
  if (size != sizeof(line_.bytes)) return;
  for (uint32_t i = 0; i < size; ++i) line_.bytes[i] = bytes[i];
}

// The host that plugs in next has set no speed yet: 1200 baud of the one before must not mean the loader.
void Requests::OnReset() {
  configuration_ = 0;
  line_ = LineCoding();
}

}  // namespace usb
