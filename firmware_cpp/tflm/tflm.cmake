# TensorFlow Lite Micro as the engine: all that its link needs stands in this folder.
#   TFLM_INCLUDE    folders of headers, separated by semicolons: TFLM's root, FlatBuffers, gemmlowp (docs/tflm.md)
#   TFLM_LIB        libtensorflow-microlite.a, built for the board's CPU and float ABI
#   TFLM_ARENA_BYTES  instead of MODEL_TFLM_ARENA_BYTES of model_settings.h
#   TFLM_DEFINITIONS  what the headers want to be the same as when the library was built; a vendor's TFLM may
#                     want others, and TFLM_NAMESPACE=... where it has renamed the namespace tflite
set(TFLM_INCLUDE "" CACHE STRING "folders with TFLM's headers and those that they include")
set(TFLM_LIB "" CACHE FILEPATH "libtensorflow-microlite.a")
set(TFLM_ARENA_BYTES "" CACHE STRING "instead of what `make convert` measured")
set(TFLM_DEFINITIONS TF_LITE_STATIC_MEMORY CACHE STRING "of TFLM's build, as far as its headers ask")

target_sources(inference PRIVATE
  tflm/tflm_inference.cc ${MODEL_DIR}/model_tflite.c
  tflm/runtime.cc)  # abort, operator delete, newlib's system calls, TFLM's log: see there
# Not our headers, not our warnings: what they deprecate, say, still works.
target_include_directories(inference SYSTEM PRIVATE ${TFLM_INCLUDE})
set_source_files_properties(tflm/tflm_inference.cc PROPERTIES COMPILE_OPTIONS -Wno-error)

# Where the library has CMSIS-NN's kernels, TFLM's headers are to declare those for int8 alone
# (int8_registrations.h). That is seen by the library itself: which kernels it was built with, only its
# Makefile was told.
execute_process(COMMAND ${CMAKE_NM} --defined-only ${TFLM_LIB}
  OUTPUT_VARIABLE tflm_symbols ERROR_QUIET RESULT_VARIABLE tflm_nm_failed)
if(tflm_nm_failed)
  message(FATAL_ERROR "${CMAKE_NM} cannot read ${TFLM_LIB}")
endif()
if(tflm_symbols MATCHES "Register_CONV_2D_INT8Ev")  # E: of its namespace, v: no arguments
  list(APPEND TFLM_DEFINITIONS CMSIS_NN)
endif()

target_compile_definitions(inference PUBLIC APP_WHOLE_IMAGE_AT_ONCE)
target_compile_definitions(inference PRIVATE
  ${TFLM_DEFINITIONS}
  TF_LITE_STRIP_ERROR_STRINGS   # the headers call no MicroPrintf(), which a release build does not have
  NDEBUG
  $<$<BOOL:${TFLM_ARENA_BYTES}>:TFLM_ARENA_BYTES=${TFLM_ARENA_BYTES}>)

# libm: the kernels' prepare functions compute scales and SOFTMAX's tables. libstdc++: nothing of it is linked
# with TFLM's own flags (no exceptions, no RTTI); other builds may reach for a guard or a std::__throw_*, and
# it in turn for libm. libc and libgcc follow, as in every firmware.
target_link_libraries(inference PUBLIC ${TFLM_LIB} stdc++ m)
target_link_options(inference PUBLIC
  -Wl,--no-fatal-warnings  # newer or other compilers' objects: not ours to mend
  -Wl,--defsym=linker_engine_stack_bytes=8192      # AllocateTensors() plans the arena on the stack
  -Wl,--defsym=linker_engine_runs_constructors=1   # tflm_inference.cc does
  -Wl,--defsym=__exidx_start=0 -Wl,--defsym=__exidx_end=0)  # libgcc's unwinder, where anything names it
