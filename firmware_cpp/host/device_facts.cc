// The sizes and offsets of facts.h as the sizes of symbols, for compilers whose programs do not run here:
// tests/cpp_facts.py compiles it for a board and reads them with nm.
#include <stddef.h>

#include "host/facts.h"

namespace squeeze {
namespace {

// No array has 0 elements, so an offset is one less than its symbol's size.
#define FACTS_SYMBOL(name, bytes)    \
  extern "C" const char name[bytes]; \
  extern "C" const char name[bytes] = {1};

#define FACTS_BYTES(type) FACTS_SYMBOL(bytes_of__##type, sizeof(type))
FACTS_STRUCTS(FACTS_BYTES)

#define FACTS_OFFSET(type, field) FACTS_SYMBOL(offset_of__##type##__##field, offsetof(type, field) + 1)
FACTS_FIELDS(FACTS_OFFSET)

}  // namespace
}  // namespace squeeze
