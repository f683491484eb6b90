// What the device tells the host about itself: a CDC-ACM serial port (USB 2.0 chapter 9.6, CDC 1.2,
// PSTN 1.2).
#ifndef FIRMWARE_CPP_BOARDS_USB_DESCRIPTORS_H_
#define FIRMWARE_CPP_BOARDS_USB_DESCRIPTORS_H_

#include <stdint.h>

namespace usb {

struct Bytes {
  const uint8_t* data;  // null: there is no such descriptor
  uint32_t size;
};

// The descriptor of wValue of a GET_DESCRIPTOR: its type in the high byte, its index in the low one.
Bytes FindDescriptor(uint32_t value);

}  // namespace usb

#endif  // FIRMWARE_CPP_BOARDS_USB_DESCRIPTORS_H_
