#include "usb/descriptors.h"

#include <stddef.h>
#include <stdint.h>

#include "board_config.h"
#include "usb/controller.h"

namespace usb {
namespace {

// USB 2.0 table 9-5.
constexpr uint8_t kTypeDevice = 1, kTypeConfiguration = 2, kTypeString = 3, kTypeInterface = 4,
                  kTypeEndpoint = 5;
constexpr uint8_t kTypeAssociation = 11;  // interface association descriptor, an addendum to USB 2.0
constexpr uint8_t kTypeFunction = 0x24;   // CDC 1.2 table 12: of an interface of its class
constexpr uint8_t kLanguages = 0, kMaker = 1, kProduct = 2, kSerial = 3;  // strings, by index
constexpr uint8_t kMilliamperes = 250;

constexpr uint8_t Low(uint32_t value) { return static_cast<uint8_t>(value); }
constexpr uint8_t High(uint32_t value) { return static_cast<uint8_t>(value >> 8); }

constexpr uint8_t kFromHost = kData, kToHost = 0x80 | kData, kNotices = 0x80 | kNotice;
constexpr uint8_t kConfigurationBytes = 75;

// clang-format off
constexpr uint8_t kDevice[] = {
    18, kTypeDevice, 0x00, 0x02,  // USB 2.0
    0xEF, 2, 1,  // look at the association, which joins the two interfaces: Windows wants it
    kPacketBytes,
    Low(BOARD_USB_VENDOR), High(BOARD_USB_VENDOR), Low(BOARD_USB_PRODUCT), High(BOARD_USB_PRODUCT),
    0x00, 0x01,  // our version
    kMaker, kProduct, kSerial,
    1,  // configurations
};

constexpr uint8_t kConfiguration[] = {
    9, kTypeConfiguration, kConfigurationBytes, 0, 2, 1, 0, 0x80, kMilliamperes / 2,
    // Two interfaces from number 0 on: CDC, abstract control model, no protocol.
    8, kTypeAssociation, 0, 2, 2, 2, 0, 0,
    9, kTypeInterface, 0, 0, 1, 2, 2, 0, 0,
    5, kTypeFunction, 0, 0x20, 0x01,  // CDC 1.2
    5, kTypeFunction, 1, 0, 1,        // no call management
    4, kTypeFunction, 2, 2,           // line coding and control line state
    5, kTypeFunction, 6, 0, 1,        // interface 0 rules interface 1
    7, kTypeEndpoint, kNotices, 3, kNoticeBytes, 0, 16,  // interrupt; asked every 16 ms
    9, kTypeInterface, 1, 0, 2, 10, 0, 0, 0,             // CDC data
    7, kTypeEndpoint, kFromHost, 2, kPacketBytes, 0, 0,  // bulk
    7, kTypeEndpoint, kToHost, 2, kPacketBytes, 0, 0,
};
// clang-format on
static_assert(sizeof(kConfiguration) == kConfigurationBytes && sizeof(kDevice) == 18);

constexpr uint8_t kLanguage[] = {4, kTypeString, 0x09, 0x04};  // English

template <size_t N>
struct Text {
  uint8_t bytes[2 * N];
};

// ASCII as UTF-16. No constructor of Text: with one the strings would lie in SRAM.
template <size_t N>
constexpr Text<N> TextOf(const char (&text)[N]) {
  Text<N> made = {};
  made.bytes[0] = 2 * N;
  made.bytes[1] = kTypeString;
  for (size_t i = 0; i + 1 < N; ++i) made.bytes[2 + 2 * i] = static_cast<uint8_t>(text[i]);
  return made;
}

constexpr auto kMakerText = TextOf("squeezenet_mcu");
constexpr auto kProductText = TextOf("squeezenet_mcu serial link");
// The flash has a number of its own, but no program can run from it while it tells the number. So two boards
// of a kind have the same one.
constexpr auto kSerialText = TextOf(board::kName);

template <size_t N>
constexpr Bytes Whole(const uint8_t (&bytes)[N]) {
  return {bytes, N};
}

}  // namespace

Bytes FindDescriptor(uint32_t value) {
  switch (value) {
    case kTypeDevice << 8:
      return Whole(kDevice);
    case kTypeConfiguration << 8:
      return Whole(kConfiguration);
    case kTypeString << 8 | kLanguages:
      return Whole(kLanguage);
    case kTypeString << 8 | kMaker:
      return Whole(kMakerText.bytes);
    case kTypeString << 8 | kProduct:
      return Whole(kProductText.bytes);
    case kTypeString << 8 | kSerial:
      return Whole(kSerialText.bytes);
    default:  // as, for one, what only a device of high speed has
      return {nullptr, 0};
  }
}

}  // namespace usb
