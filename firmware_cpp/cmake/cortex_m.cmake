# Toolchain of the boards with `architecture = "cortex_m"`: gcc-arm-none-eabi.
include(${CMAKE_CURRENT_LIST_DIR}/board.cmake)
set(ARCHITECTURE cortex_m)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
# Assembler in C++ is written in the syntax of both instruction sets; gcc's default for ARMv6-M is another.
set(CMAKE_C_FLAGS_INIT "${cpu_flags} -masm-syntax-unified")
set(CMAKE_CXX_FLAGS_INIT "${cpu_flags} -masm-syntax-unified")
