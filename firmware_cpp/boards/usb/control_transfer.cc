#include "usb/control_transfer.h"

#include <stdint.h>

#include "usb/controller.h"

namespace usb {

ControlTransfer::Change ControlTransfer::OnNextSetup() {
  Disarm(kControl, Direction::kToHost);
  Disarm(kControl, Direction::kFromHost);
  if (stage_ != Stage::kStatusToHost) return {Effect::kNone, 0};
  stage_ = Stage::kIdle;
  return change_;
}

void ControlTransfer::OnSetup() {
  uint8_t setup[8];
  ReadSetupPacket(setup);
  const uint32_t wanted = setup[6] | static_cast<uint32_t>(setup[7]) << 8;
  const Reply reply = requests_.OnSetup(setup);
  change_ = {reply.effect, reply.value};
  switch (reply.answer) {
    case Answer::kStall:
      stage_ = Stage::kIdle;
      Stall();
      return;
    case Answer::kData:
      if (wanted == 0) break;
      shortened_ = reply.bytes.size < wanted;
      left_ = {reply.bytes.data, shortened_ ? reply.bytes.size : wanted};
      toggle_ = true;
      stage_ = Stage::kData;
      SendNext();
      // The status may come before we hear that the host has had the last packet (8.5.3.3).
      Receive(kControl, true);
      return;
    case Answer::kReceive:
      if (wanted == 0) break;
      stage_ = Stage::kReceive;
      Receive(kControl, true);
      return;
    case Answer::kDone:
      break;
  }
  SendStatus();
}

void ControlTransfer::SendNext() {
  volatile uint8_t* buffer = SendBuffer(kControl, 0);
  const uint32_t size = left_.size < kPacketBytes ? left_.size : kPacketBytes;
  for (uint32_t i = 0; i < size; ++i) buffer[i] = left_.data[i];
  left_ = {left_.data + size, left_.size - size};
  more_ = left_.size > 0 || (size == kPacketBytes && shortened_);
  Send(kControl, 0, size, toggle_);
  toggle_ = !toggle_;
}

void ControlTransfer::SendStatus() {
  stage_ = Stage::kStatusToHost;
  Send(kControl, 0, 0, true);
}

ControlTransfer::Change ControlTransfer::OnSent() {
  if (stage_ == Stage::kData && more_) SendNext();
  if (stage_ != Stage::kStatusToHost) return {Effect::kNone, 0};
  stage_ = Stage::kIdle;
  return change_;
}

void ControlTransfer::OnReceived() {
  if (stage_ == Stage::kReceive) {
    uint8_t bytes[kPacketBytes];
    volatile const uint8_t* buffer = ReceiveBuffer(kControl);
    const uint32_t size = Received(kControl);
    for (uint32_t i = 0; i < size && i < kPacketBytes; ++i) bytes[i] = buffer[i];
    requests_.OnReceived(bytes, size);
    SendStatus();
  } else {
    Disarm(kControl, Direction::kToHost);
    stage_ = Stage::kIdle;
  }
  // The same packet again, from a host that has not heard that we have it, is acknowledged and thrown away.
  Receive(kControl, false);
}

void ControlTransfer::OnReset() {
  requests_.OnReset();
  stage_ = Stage::kIdle;
}

}  // namespace usb
