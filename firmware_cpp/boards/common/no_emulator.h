// For the board_config.h of a board that no emulator plays: its cycle counter needs no stand-in.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_NO_EMULATOR_H_
#define FIRMWARE_CPP_BOARDS_COMMON_NO_EMULATOR_H_

#include <stdint.h>

namespace board {

constexpr uint32_t kEmulatedTickHz = 1000000;
constexpr uint32_t kInstructionsPerTickNumerator = 1;
constexpr uint32_t kInstructionsPerTickDenominator = 1;

inline void EmulatedTicksInit() {}
inline uint32_t EmulatedTicks() { return 0; }

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_NO_EMULATOR_H_
