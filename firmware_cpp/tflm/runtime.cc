// What a TFLM library reaches for beside libm and the plain functions of libc, on a board without an
// operating system, a heap or a console. Weak where some builds of the library bring their own; what is not
// reached for is not linked.
#include <stddef.h>
#include <stdint.h>

#include <new>

#include "tflm/run_constructors.h"

extern "C" {

// Made by sections.ld: the addresses of global constructors.
extern void (*const linker_constructors_start[])();
extern void (*const linker_constructors_end[])();

// TFLM's log (debug_log.h): formatting it takes a printf, and the line belongs to the link.
__attribute__((weak)) void DebugLog() {}
__attribute__((weak)) int DebugVsnprintf() { return 0; }

// The end of the program: the fault handler reports where. TFLM's checks call abort(), those of FlatBuffers
// and ruy assert(), whose message would bring all of stdio.
[[noreturn]] void abort() { __builtin_trap(); }
[[noreturn]] void __assert_func(const char* /*file*/, int /*line*/, const char* /*function*/,
                                const char* /*condition*/) {
  __builtin_trap();
}
[[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }
[[noreturn]] void _exit(int /*status*/) { __builtin_trap(); }

// Destructors of global objects: nothing ever ends.
int __aeabi_atexit(void* /*object*/, void (* /*destructor*/)(void*), void* /*library*/) { return 0; }
int __cxa_atexit(void (* /*destructor*/)(void*), void* /*object*/, void* /*library*/) { return 0; }
__attribute__((weak)) void* __dso_handle = nullptr;

// newlib's system calls: no heap, no files.
void* _sbrk(ptrdiff_t /*bytes*/) { return reinterpret_cast<void*>(-1); }
int _close(int /*file*/) { return -1; }
int _fstat(int /*file*/, void* /*status*/) { return -1; }
int _getpid() { return 1; }
int _isatty(int /*file*/) { return 0; }
int _kill(int /*process*/, int /*signal*/) { return -1; }
int _lseek(int /*file*/, int /*offset*/, int /*from*/) { return -1; }
int _read(int /*file*/, char* /*to*/, int /*bytes*/) { return -1; }
int _write(int /*file*/, const char* /*from*/, int /*bytes*/) { return -1; }

}  // extern "C"

// Virtual destructors name them; nothing of the interpreter's is ever on a heap.
void operator delete(void* /*object*/) noexcept { __builtin_trap(); }
void operator delete(void* /*object*/, size_t /*bytes*/) noexcept { __builtin_trap(); }
void operator delete(void* /*object*/, size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  __builtin_trap();
}

namespace tflm {

void RunConstructors() {
  for (auto constructor = linker_constructors_start; constructor != linker_constructors_end; ++constructor) {
    (*constructor)();
  }
}

}  // namespace tflm
