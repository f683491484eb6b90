# A firmware whose kernel BROKEN_KERNEL is broken on purpose: the linker puts broken_kernel.cc between the engine
# and the kernel. The engine's own sources know nothing of it.
string(LENGTH ${BROKEN_KERNEL} length)
set(symbol _ZN7squeeze${length}${BROKEN_KERNEL}ERKNS_8ConvRowsE)
target_sources(firmware PRIVATE bench/broken_kernel.cc)
set_source_files_properties(bench/broken_kernel.cc PROPERTIES COMPILE_DEFINITIONS
  "REAL_KERNEL=\"__real_${symbol}\";BROKEN_KERNEL=\"__wrap_${symbol}\"")
target_link_options(firmware PRIVATE -Wl,--wrap=${symbol})
