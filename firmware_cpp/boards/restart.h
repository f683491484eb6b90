// Restarts a board by itself. Linked into those programs alone that ask for it.
#ifndef FIRMWARE_CPP_BOARDS_RESTART_H_
#define FIRMWARE_CPP_BOARDS_RESTART_H_

namespace board {

// As its reset button does. Bytes that UartWrite() has handed to the transmitter may be lost.
[[noreturn]] void Restart();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_RESTART_H_
