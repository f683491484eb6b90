// A chip's registers as far as the driver of its flash touches them, recorded.
#ifndef TESTS_HOST_TOOLS_FLASH_CHIP_H_
#define TESTS_HOST_TOOLS_FLASH_CHIP_H_

#include <stdint.h>

#include "../start_up/hardware.h"

namespace chip {

// A line of the record. Reads of one register in a row are one.
void Record(const char* what, uint32_t address, uint32_t value);

// The flash is busy for the next few looks; Look() counts one.
void Start();
bool Busy();
bool Look();

// True where the operation is to end with an error.
bool Fails();

// Registers: a chip's file implements these, and hardware::Call() where it has a ROM.
uint32_t Read(uint32_t address);
void Write(uint32_t address, uint32_t value);

}  // namespace chip

#endif  // TESTS_HOST_TOOLS_FLASH_CHIP_H_
