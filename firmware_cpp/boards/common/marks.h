// Tells an emulator what the program does from here on, so that it can count for it (host_tools/cycles): the
// call of an empty function, whose address is the message. On a chip it is a call that returns at once.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_MARKS_H_
#define FIRMWARE_CPP_BOARDS_COMMON_MARKS_H_

#include <stdint.h>

#if defined(__thumb__)

// Once in a program: functions of one instruction, for the marks 0 to `count` - 1.
#define BOARD_MARKS(count)                                             \
  __asm__(                                                             \
      ".section .text.board_marks, \"ax\", %progbits\n"                \
      ".balign 4\n.global board_marks\n.type board_marks, %function\n" \
      ".thumb_func\nboard_marks:\n.rept " #count                       \
      "\nbx lr\n.endr\n"                                               \
      ".size board_marks, . - board_marks\n.previous\n")

extern "C" void board_marks();

namespace board {

inline void Mark(uint32_t mark) {
  reinterpret_cast<void (*)()>(reinterpret_cast<uintptr_t>(&board_marks) + 2 * mark)();
}

}  // namespace board

#else  // no plugin of ours prices other CPUs

#define BOARD_MARKS(count) static_assert(count > 0)

namespace board {

inline void Mark(uint32_t /*mark*/) {}

}  // namespace board

#endif
#endif  // FIRMWARE_CPP_BOARDS_COMMON_MARKS_H_
