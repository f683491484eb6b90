// Assembler reads the fields of a struct at literal offsets; the compiler checks here that they are there.
#ifndef SQUEEZE_ENGINE_STRUCT_OFFSET_H_
#define SQUEEZE_ENGINE_STRUCT_OFFSET_H_

#include <stddef.h>

// One for each field that assembler loads or stores. Pointers of 4 bytes are what the offsets hold for: on a
// 64-bit host, where plain C++ stands in for the assembler, nothing is asserted.
#define SQUEEZE_OFFSET(Struct, field, bytes)                              \
  static_assert(sizeof(void*) != 4 || offsetof(Struct, field) == (bytes), \
                "assembler has " #Struct "'s field " #field " at offset " #bytes)

// The same for the step from one struct of an array to the next.
#define SQUEEZE_STRIDE(Struct, bytes)                            \
  static_assert(sizeof(void*) != 4 || sizeof(Struct) == (bytes), \
                "assembler has " #Struct "s every " #bytes " bytes")

#endif  // SQUEEZE_ENGINE_STRUCT_OFFSET_H_
