# Toolchain of every Arm board: gcc-arm-none-eabi with the CPU flags of the board's board.toml.
# A board's toolchain.cmake sets BOARD_DIR and includes this.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a test program has no linker script
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${BOARD_DIR}/board.toml)
file(STRINGS ${BOARD_DIR}/board.toml cpu_flags REGEX "^cpu_flags = \\[.*\\]$")
if(NOT cpu_flags)
  message(FATAL_ERROR "${BOARD_DIR}/board.toml: no line of the form: cpu_flags = [\"-mcpu=...\"]")
endif()
string(REGEX REPLACE "^cpu_flags = \\[(.*)\\]$" "\\1" cpu_flags "${cpu_flags}")
string(REGEX REPLACE "[\", ]+" " " cpu_flags "${cpu_flags}")
string(STRIP "${cpu_flags}" cpu_flags)

set(CMAKE_C_FLAGS_INIT "${cpu_flags}")
set(CMAKE_CXX_FLAGS_INIT "${cpu_flags}")
