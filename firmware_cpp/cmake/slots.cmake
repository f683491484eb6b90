# Of a firmware that takes new models (UPDATE=ON): the slots and the flash's driver that the board's board.toml names in
# its table [update], for the compiler (board_slots.h) and for the linker (boards/common/sections.ld). Included by
# CMakeLists.txt once the target `board` is there. host_tools/boards/board_toml.py checks what is read here.
set(board_toml ${BOARD_DIR}/board.toml)
file(STRINGS ${board_toml} slots_line REGEX "^slots = ")
file(STRINGS ${board_toml} driver_line REGEX "^driver = \"[a-z0-9_]+\"")
if(NOT slots_line OR NOT driver_line)
  message(FATAL_ERROR "UPDATE: ${board_toml} has no table [update] with `slots` and `driver`, each on a line of its own")
endif()
string(REGEX REPLACE "^driver = \"([a-z0-9_]+)\".*$" "\\1" flash_driver "${driver_line}")
if(NOT EXISTS ${PROJECT_SOURCE_DIR}/boards/flash/${flash_driver}.cc)
  message(FATAL_ERROR "UPDATE: ${board_toml}: driver = \"${flash_driver}\": there is no boards/flash/${flash_driver}.cc")
endif()

string(REGEX MATCHALL "address = 0x[0-9A-Fa-f]+, bytes = [0-9_]+" slots "${slots_line}")
list(LENGTH slots slot_count)
if(NOT slot_count EQUAL 1 AND NOT slot_count EQUAL 2)
  message(FATAL_ERROR "UPDATE: ${board_toml}: ${slots_line}: want one or two of { address = 0x..., bytes = ... }")
endif()
set(slot_addresses "")
set(slot_sizes "")
set(slots_begin "")
set(slots_end "")
foreach(slot IN LISTS slots)
  string(REGEX REPLACE "^address = (0x[0-9A-Fa-f]+), bytes = ([0-9_]+)$" "\\1" address "${slot}")
  string(REGEX REPLACE "^address = (0x[0-9A-Fa-f]+), bytes = ([0-9_]+)$" "\\2" bytes "${slot}")
  string(REPLACE "_" "" bytes ${bytes})
  math(EXPR address "${address}")
  math(EXPR end "${address} + ${bytes}")
  list(APPEND slot_addresses "${address}u")
  list(APPEND slot_sizes "${bytes}u")
  if(slots_begin STREQUAL "" OR address LESS slots_begin)
    set(slots_begin ${address})
  endif()
  if(slots_end STREQUAL "" OR end GREATER slots_end)
    set(slots_end ${end})
  endif()
endforeach()
list(JOIN slot_addresses ", " slot_addresses)
list(JOIN slot_sizes ", " slot_sizes)
file(CONFIGURE OUTPUT slots/board_slots.h CONTENT "// From [update] of board.toml; do not edit.
#pragma once
#include <stdint.h>
namespace board {
constexpr int kSlotCount = @slot_count@;
constexpr uint32_t kSlotAddresses[] = {@slot_addresses@};
constexpr uint32_t kSlotBytes[] = {@slot_sizes@};
}  // namespace board
" @ONLY)
target_sources(board PRIVATE boards/flash/${flash_driver}.cc)
target_include_directories(board PUBLIC ${PROJECT_SOURCE_DIR} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/slots)
add_link_options(-Wl,--defsym=linker_slots_begin=${slots_begin} -Wl,--defsym=linker_slots_end=${slots_end})
