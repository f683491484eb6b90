// Answers to the host's control requests: no registers here, so tests run it on the host.
#ifndef FIRMWARE_CPP_BOARDS_USB_REQUESTS_H_
#define FIRMWARE_CPP_BOARDS_USB_REQUESTS_H_

#include <stdint.h>

#include "usb/descriptors.h"

namespace usb {

// What the setup packet asks for.
enum class Answer : uint8_t {
  kData,     // `bytes` go to the host
  kDone,     // nothing but the status
  kReceive,  // the host sends bytes: OnReceived()
  kStall,    // no such request
};

// What a request changes, beside what Requests keeps; once its status has been sent.
enum class Effect : uint8_t {
  kNone,
  kAddress,     // `value`
  kConfigured,  // the data endpoints open, or open anew
  kDeconfigured,
  kUnhaltedToHost,  // the data endpoint begins with DATA0 again
  kUnhaltedFromHost,
  kLoader,  // the host wants the boot loader
};

struct Reply {
  Answer answer;
  Bytes bytes;
  Effect effect;
  uint8_t value;
};

class Requests {
 public:
  // `setup`: eight bytes (USB 2.0 table 9-2).
  Reply OnSetup(const uint8_t* setup);

  // What the host sent after an Answer::kReceive.
  void OnReceived(const uint8_t* bytes, uint32_t size);

  // The bus was reset.
  void OnReset();

  bool configured() const { return configuration_ != 0; }

 private:
  Reply OnStandard(const uint8_t* setup);
  Reply OnClass(const uint8_t* setup);

  // CDC's line coding (PSTN 1.2 table 17): bits a second, stop bits, parity, data bits. It changes nothing
  // here, but for the boot loader's speed.
  struct LineCoding {
    uint8_t bytes[7] = {0x00, 0xC2, 0x01, 0x00, 0, 0, 8};
  };
  LineCoding line_;
  uint8_t configuration_ = 0;
};

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_USB_REQUESTS_H_
