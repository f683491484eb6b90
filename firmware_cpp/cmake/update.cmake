# Of a firmware that takes new models over the link (UPDATE=ON): the slots, the device's end of an upload, and with
# UPDATE_KEY the check of signatures. Included by CMakeLists.txt once the target `firmware` is there.
if(NOT ENGINE STREQUAL "squeeze")
  message(FATAL_ERROR "UPDATE: with ENGINE=squeeze only")
endif()
add_subdirectory(update)
target_compile_definitions(inference PUBLIC APP_UPDATE=1)
target_sources(firmware PRIVATE app/update.cc protocol/upload.cc)
target_link_libraries(firmware PRIVATE squeeze_update)
# Where uploads need more stack than any kernel: a signature's check goes deepest.
target_link_options(firmware PRIVATE -Wl,--defsym=linker_engine_stack_bytes=3072)

if(UPDATE_KEY)
  string(LENGTH "${UPDATE_KEY}" key_digits)
  if(NOT key_digits EQUAL 64 OR NOT UPDATE_KEY MATCHES "^[0-9a-f]+$")
    message(FATAL_ERROR "UPDATE_KEY=${UPDATE_KEY}: want 64 hexadecimal digits, as keys/mine.pub has them")
  endif()
  string(REGEX REPLACE "(..)" "0x\\1, " update_key "${UPDATE_KEY}")
  file(CONFIGURE OUTPUT update_key.h CONTENT "// From UPDATE_KEY; do not edit.
#include <stdint.h>
namespace app {
constexpr uint8_t kUpdateKey[32] = {@update_key@};
}
" @ONLY)
  # Monocypher's own code, without our warnings, and small: BLAKE2b hashes a few hundred bytes in all.
  add_library(monocypher STATIC ${MONOCYPHER_DIR}/monocypher.c)
  target_include_directories(monocypher SYSTEM PUBLIC ${MONOCYPHER_DIR})
  target_compile_definitions(monocypher PRIVATE BLAKE2_NO_UNROLLING)
  target_compile_options(monocypher PRIVATE -w -Os)
  target_compile_definitions(firmware PRIVATE APP_UPDATE_SIGNED=1)
  target_include_directories(firmware PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(firmware PRIVATE monocypher)
endif()
