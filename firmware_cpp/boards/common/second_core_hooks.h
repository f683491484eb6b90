// What a board with a second core implements; cortex_m/second_core.cc builds second_core.h on it. The
// namespace is not `board`, whose functions count for nothing in a profile (host_tools/cycles): to wait for
// the other core is a part of the work on an image.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_SECOND_CORE_HOOKS_H_
#define FIRMWARE_CPP_BOARDS_COMMON_SECOND_CORE_HOOKS_H_

#include <stdint.h>

namespace second_core {

// Stops the second core, whatever it does after a reset that was core 0's alone. False: it cannot be.
bool Hold();

// Starts it at `entry`, as from reset but for its stack pointer. False: it does not answer.
bool Release(void (*entry)(), uint32_t* stack_top);

// A word to the other core, and the next one of its words: both wait as long as it takes. What was written
// before a Send() is there for the core that has Receive()d the word.
void Send(uint32_t word);
uint32_t Receive();

}  // namespace second_core

#endif  // FIRMWARE_CPP_BOARDS_COMMON_SECOND_CORE_HOOKS_H_
