# What the toolchain files of all architectures share: BOARD_DIR, the folder of the board, and cpu_flags, those
# of its board.toml. Included by <architecture>.cmake, which cmake reads once more for each test program.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a test program has no linker script
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BOARD_DIR)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

if(NOT EXISTS "${BOARD_DIR}/board.toml")
  message(FATAL_ERROR "BOARD_DIR=${BOARD_DIR}: want a folder with a board.toml")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${BOARD_DIR}/board.toml)
file(STRINGS ${BOARD_DIR}/board.toml cpu_flags REGEX "^cpu_flags = \\[.*\\]$")
if(NOT cpu_flags)
  message(FATAL_ERROR "${BOARD_DIR}/board.toml: no line of the form: cpu_flags = [\"-mcpu=...\"]")
endif()
string(REGEX REPLACE "^cpu_flags = \\[(.*)\\]$" "\\1" cpu_flags "${cpu_flags}")
string(REGEX REPLACE "[\", ]+" " " cpu_flags "${cpu_flags}")
string(STRIP "${cpu_flags}" cpu_flags)
