# Toolchain of the boards with `architecture = "riscv"`: gcc-riscv64-unknown-elf, which makes 32-bit code as
# well, with picolibc's mem*() functions. No C++ library comes with it, and none is needed.
include(${CMAKE_CURRENT_LIST_DIR}/board.cmake)
set(ARCHITECTURE riscv)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_CXX_COMPILER riscv64-unknown-elf-g++)
# No small-data sections: nobody sets the register that points at them.
set(CMAKE_C_FLAGS_INIT "${cpu_flags} -msmall-data-limit=0 --specs=picolibc.specs")
set(CMAKE_CXX_FLAGS_INIT "${cpu_flags} -msmall-data-limit=0 --specs=picolibc.specs")
