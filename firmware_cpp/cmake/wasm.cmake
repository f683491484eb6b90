# Toolchain of the page that runs the engine in a browser: clang and lld, without a C library.
# Of WebAssembly's later instructions it uses two kinds that every browser has had since 2021: memory.copy and
# memory.fill (bulk-memory), and loads that extend a sign (sign-ext).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_COMPILER clang++)
set(CMAKE_CXX_COMPILER_TARGET wasm32-unknown-unknown)
set(CMAKE_CXX_FLAGS_INIT "-mbulk-memory -msign-ext")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # no C library, so no program links while CMake looks around
