// What start-up asks of memory.cc.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_MEMORY_H_
#define FIRMWARE_CPP_BOARDS_COMMON_MEMORY_H_

namespace board {

// Variables as C++ expects them: .data from its image, .bss zero. Before anything else that uses one.
void MemoryInit();

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_COMMON_MEMORY_H_
