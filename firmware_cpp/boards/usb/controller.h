// What a chip's USB device controller must do; serial_port.cc builds a serial port on it. One of the board's
// sources implements it (rp2_usb.h). All of it is called from the interrupt handler, or with interrupts off.
#ifndef FIRMWARE_CPP_BOARDS_USB_CONTROLLER_H_
#define FIRMWARE_CPP_BOARDS_USB_CONTROLLER_H_

#include <stdint.h>

namespace usb {

// Endpoints, by number. The host's driver never reads much from the first, and we send nothing on it.
constexpr uint32_t kControl = 0;
constexpr uint32_t kNotice = 1;  // to the host
constexpr uint32_t kData = 2;    // both ways
constexpr uint32_t kPacketBytes = 64;
constexpr uint32_t kNoticeBytes = 8;

// What has happened since the last TakeEvents(): of transfers a bit for each endpoint and direction.
struct Events {
  bool reset;     // of the bus: the host begins anew
  bool setup;     // the eight bytes at SetupPacket()
  uint32_t done;  // transfers: Done()
};

enum class Direction : uint32_t { kToHost = 0, kFromHost = 1 };

constexpr uint32_t Done(uint32_t endpoint, Direction direction) {
  return 1u << (2 * endpoint + static_cast<uint32_t>(direction));
}

// Clock, memory, registers, and the pull-up that shows the host a device. False: there is no clock for it.
bool ControllerStart();

Events TakeEvents();

// Of the last setup packet.
void ReadSetupPacket(uint8_t* bytes);

void SetAddress(uint32_t address);

// The data endpoints, which the configuration brings; none is armed.
void OpenEndpoints();

// Where the next packet for the host goes: `slot` is 0 or 1, of the data endpoint; one may be filled while
// the other is sent. The control endpoint has one.
volatile uint8_t* SendBuffer(uint32_t endpoint, uint32_t slot);

// Of what the host has sent: its bytes, and how many.
volatile const uint8_t* ReceiveBuffer(uint32_t endpoint);
uint32_t Received(uint32_t endpoint);

// Arms an endpoint. `toggle`: DATA1 instead of DATA0. Until Receive() the controller answers NAK, and the
// host tries again: that is the flow control.
void Send(uint32_t endpoint, uint32_t slot, uint32_t bytes, bool toggle);
void Receive(uint32_t endpoint, bool toggle);

// Takes back what is armed, if the host has not had it yet.
void Disarm(uint32_t endpoint, Direction direction);

// The control transfer under way is refused, up to the next setup packet.
void Stall();

// True while the host sends nothing at all, as when it sleeps.
bool Suspended();

// Whether the core that asks is the one that takes the interrupts.
bool OnFirstCore();

// Resets the chip into its boot ROM's loader, for a new firmware over the same cable. Returns where the ROM
// has none.
void ResetToLoader();

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_USB_CONTROLLER_H_
