// The board's own USB as a serial port: what common/ asks of it.
#ifndef FIRMWARE_CPP_BOARDS_USB_SERIAL_PORT_H_
#define FIRMWARE_CPP_BOARDS_USB_SERIAL_PORT_H_

#include <stddef.h>
#include <stdint.h>

namespace usb {

// Shows the host a device, where the chip has a clock for it.
void Open();

// Of the interrupt: what the controller has to say.
void OnInterrupt();

// Of the interrupt: how many bytes of a packet wait; Take() moves all of them to a ring of `ring_bytes`, a
// power of two, from index `at` on, and lets the host send the next ones. Until then the host tries again and
// again.
size_t Waiting();
void Take(uint8_t* ring, size_t ring_bytes, uint32_t at);

// Of the program: sends bytes. Returns when all of them are in the buffers; where the host is gone, or takes
// none for a quarter of a second, what is left is lost.
void Write(const uint8_t* data, size_t size);

// Of a fault handler, after which there are no more interrupts: sends a byte, as Write() does; and whether
// something has come, which it throws away. What the host asks is answered in both. On another core than that
// of the interrupts they do nothing.
void PutInFault(uint8_t byte);
bool CameInFault();

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_USB_SERIAL_PORT_H_
