# What makes a firmware take new models over the link (UPDATE=ON): the slots, the device's end of an upload, and the
# check of signatures. Included by CMakeLists.txt once the target `inference` is there.
if(NOT ENGINE STREQUAL "squeeze")
  message(FATAL_ERROR "UPDATE: with ENGINE=squeeze only")
endif()
set(update_source ${CMAKE_CURRENT_LIST_DIR}/..)
add_subdirectory(${update_source}/update update)
target_compile_definitions(inference PUBLIC APP_UPDATE=1)

# Adds all that to the firmware `target`. `key`: 64 hexadecimal digits, a public key: only models signed by its owner
# are taken; empty: everybody's. With it, MONOCYPHER_DIR is the folder of monocypher.c and monocypher.h.
function(add_update target key)
  target_sources(${target} PRIVATE ${update_source}/app/update.cc ${update_source}/protocol/upload.cc)
  target_link_libraries(${target} PRIVATE squeeze_update)
  if(ARCHITECTURE)  # a board's: the check of a signature goes deeper than any kernel
    target_link_options(${target} PRIVATE -Wl,--defsym=linker_engine_stack_bytes=3072)
  endif()
  if(NOT key)
    return()
  endif()
  string(LENGTH "${key}" key_digits)
  if(NOT key_digits EQUAL 64 OR NOT key MATCHES "^[0-9a-f]+$")
    message(FATAL_ERROR "UPDATE_KEY=${key}: want 64 hexadecimal digits, as keys/mine.pub has them")
  endif()
  string(REGEX REPLACE "(..)" "0x\\1, " update_key "${key}")
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}_key)
  file(CONFIGURE OUTPUT ${folder}/update_key.h CONTENT "// From UPDATE_KEY; do not edit.
#include <stdint.h>
namespace app {
constexpr uint8_t kUpdateKey[32] = {@update_key@};
}
" @ONLY)
  if(NOT TARGET monocypher)
    # Its own code, without our warnings, and small: BLAKE2b hashes a few hundred bytes in all.
    add_library(monocypher STATIC ${MONOCYPHER_DIR}/monocypher.c)
    target_include_directories(monocypher SYSTEM PUBLIC ${MONOCYPHER_DIR})
    target_compile_definitions(monocypher PRIVATE BLAKE2_NO_UNROLLING)
    target_compile_options(monocypher PRIVATE -w -Os)
    if(ARCHITECTURE)
      add_firmware(signature ${update_source}/bench/signature.cc)  # what a check costs
      target_include_directories(signature PRIVATE ${update_source})
      target_link_libraries(signature PRIVATE monocypher)
      set_target_properties(signature PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  target_compile_definitions(${target} PRIVATE APP_UPDATE_SIGNED=1)
  target_include_directories(${target} PRIVATE ${folder})
  target_link_libraries(${target} PRIVATE monocypher)
endfunction()
