// Endpoint 0: setup, data and status stage of the host's requests (USB 2.0, 8.5.3). Called by the interrupt
// alone.
#ifndef FIRMWARE_CPP_BOARDS_USB_CONTROL_TRANSFER_H_
#define FIRMWARE_CPP_BOARDS_USB_CONTROL_TRANSFER_H_

#include <stdint.h>

#include "usb/requests.h"

namespace usb {

class ControlTransfer {
 public:
  // What takes effect now that a transfer is over, which may be nothing.
  struct Change {
    Effect effect;
    uint8_t value;
  };

  // A setup packet is about to be looked at: it ends whatever was under way. A host that sends it has had the
  // status of the transfer before, even where we have not heard that (8.5.3.3).
  Change OnNextSetup();
  void OnSetup();

  // A packet has gone to the host.
  Change OnSent();

  // A packet has come that is no setup.
  void OnReceived();

  // The bus was reset.
  void OnReset();

  bool configured() const { return requests_.configured(); }

 private:
  enum class Stage : uint8_t { kIdle, kData, kReceive, kStatusToHost };

  void SendNext();
  void SendStatus();

  Requests requests_;
  Stage stage_ = Stage::kIdle;
  bool toggle_ = false;
  bool more_ = false;       // packets, after the one under way
  bool shortened_ = false;  // less than the host asked for: a packet that is not full tells it the end
  Bytes left_ = {nullptr, 0};
  Change change_ = {Effect::kNone, 0};
};

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_USB_CONTROL_TRANSFER_H_
