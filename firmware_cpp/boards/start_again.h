// Restarts a board by itself. Linked into those programs alone that ask for it.
#ifndef FIRMWARE_CPP_BOARDS_START_AGAIN_H_
#define FIRMWARE_CPP_BOARDS_START_AGAIN_H_

namespace board {

// As its reset button does. Bytes that UartWrite() has handed to the transmitter may be lost.
[[noreturn]] void StartAgain();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_START_AGAIN_H_
