#include "usb/serial_port.h"

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"
#include "usb/control_transfer.h"
#include "usb/controller.h"

namespace usb {
namespace {

// Looks at a full buffer, of some 60 cycles each: a quarter of a second. The host's driver takes a packet
// within a few milliseconds; where none goes, no program has the port open.
constexpr uint32_t kMostLooks = 600000;

// Packets for the host: one is filled while the other is under way. With interrupts off.
class Sender {
 public:
  void Reset() { *this = Sender(); }

  size_t Append(const uint8_t* data, size_t size) {
    const size_t room = kPacketBytes - filled_;
    const size_t taken = size < room ? size : room;
    volatile uint8_t* buffer = SendBuffer(kData, slot_) + filled_;
    for (size_t i = 0; i < taken; ++i) buffer[i] = data[i];
    filled_ += static_cast<uint32_t>(taken);
    if (!busy_) Launch();
    return taken;
  }

  // A full packet is followed by another one, if only an empty one: else the host would wait for it.
  void OnSent() {
    busy_ = false;
    if (filled_ > 0 || sent_ == kPacketBytes) Launch();
  }

  // What is under way goes out as DATA0, if it has not gone yet.
  void RestartToggle() {
    toggle_ = false;
    if (!busy_) return;
    Disarm(kData, Direction::kToHost);
    Send(kData, slot_ ^ 1, sent_, false);
    toggle_ = true;
  }

 private:
  void Launch() {
    Send(kData, slot_, filled_, toggle_);
    toggle_ = !toggle_;
    busy_ = true;
    sent_ = filled_;
    slot_ ^= 1;
    filled_ = 0;
  }

  uint32_t slot_ = 0;    // being filled
  uint32_t filled_ = 0;  // bytes
  uint32_t sent_ = 0;    // of the packet under way, or of the last one
  bool busy_ = false;
  bool toggle_ = false;
};

// Packets from the host, one at a time.
class Receiver {
 public:
  void Open() {
    Disarm(kData, Direction::kFromHost);
    waiting_ = false;
    toggle_ = false;
    Arm();
  }

  void Close() { waiting_ = false; }

  void OnReceived() { waiting_ = true; }

  size_t waiting() const { return waiting_ ? Received(kData) : 0; }

  bool empty_packet() const { return waiting_ && Received(kData) == 0; }

  void Arm() {
    waiting_ = false;
    Receive(kData, toggle_);
    toggle_ = !toggle_;
  }

  void RestartToggle() {
    toggle_ = false;
    if (waiting_) return;
    Disarm(kData, Direction::kFromHost);
    Arm();
  }

 private:
  bool waiting_ = false;
  bool toggle_ = false;
};

bool g_open;
bool g_deaf;  // the host takes nothing: do not wait for it again until it does
ControlTransfer g_control;
Sender g_sender;
Receiver g_receiver;

void Apply(ControlTransfer::Change change) {
  switch (change.effect) {
    case Effect::kNone:
      return;
    case Effect::kAddress:
      SetAddress(change.value);
      return;
    case Effect::kConfigured:
      OpenEndpoints();
      g_sender.Reset();
      g_receiver.Open();
      return;
    case Effect::kDeconfigured:
      g_sender.Reset();
      g_receiver.Close();
      return;
    case Effect::kUnhaltedToHost:
      g_sender.RestartToggle();
      return;
    case Effect::kUnhaltedFromHost:
      g_receiver.RestartToggle();
      return;
    case Effect::kLoader:
      ResetToLoader();
      return;
  }
}

void OnReset() {
  SetAddress(0);
  g_control.OnReset();
  g_sender.Reset();
  g_receiver.Close();
}

void Serve() {
  const Events events = TakeEvents();
  if (events.reset) {
    OnReset();
  } else {
    // In this order: what was done belongs to the transfers before the setup packet.
    if ((events.done & Done(kData, Direction::kToHost)) != 0) {
      g_deaf = false;
      g_sender.OnSent();
    }
    if ((events.done & Done(kData, Direction::kFromHost)) != 0) g_receiver.OnReceived();
    if ((events.done & Done(kControl, Direction::kToHost)) != 0) Apply(g_control.OnSent());
    if ((events.done & Done(kControl, Direction::kFromHost)) != 0) g_control.OnReceived();
  }
  if (events.setup) {
    Apply(g_control.OnNextSetup());
    g_control.OnSetup();
  }
  if (g_receiver.empty_packet()) g_receiver.Arm();
}

// `no_interrupts`: none will come any more, so the controller is asked here.
void WriteAll(const uint8_t* data, size_t size, bool no_interrupts) {
  uint32_t looks = 0;
  while (size > 0) {
    size_t taken = 0;
    {
      const cpu::InterruptsOff off;
      if (no_interrupts) OnInterrupt();
      const bool gone = !g_control.configured() || Suspended();
      if (!gone) taken = g_sender.Append(data, size);
      if (taken == 0 && (gone || g_deaf || ++looks == kMostLooks)) {
        g_deaf = true;
        return;
      }
    }
    if (taken > 0) looks = 0;
    data += taken;
    size -= taken;
  }
}

}  // namespace

void Open() {
  const cpu::InterruptsOff off;
  g_open = ControllerStart();
}

void OnInterrupt() {
  if (g_open) Serve();
}

size_t Waiting() { return g_receiver.waiting(); }

void Take(uint8_t* ring, size_t ring_bytes, uint32_t at) {
  volatile const uint8_t* buffer = ReceiveBuffer(kData);
  const size_t size = g_receiver.waiting();
  for (size_t i = 0; i < size; ++i) ring[(at + i) % ring_bytes] = buffer[i];
  g_receiver.Arm();
}

void Write(const uint8_t* data, size_t size) { WriteAll(data, size, false); }

void PutInFault(uint8_t byte) {
  if (OnFirstCore()) WriteAll(&byte, 1, true);
}

bool CameInFault() {
  if (!OnFirstCore()) return false;
  OnInterrupt();
  if (Waiting() == 0) return false;
  g_receiver.Arm();
  return true;
}

}  // namespace usb
