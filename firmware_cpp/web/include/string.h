// All that the engine needs of a C library's <string.h>. The compiler makes memory.copy and memory.fill of
// the calls
// (-mbulk-memory), so the functions themselves are nowhere; one that it calls all the same does not link.
#ifndef SQUEEZE_WEB_INCLUDE_STRING_H_
#define SQUEEZE_WEB_INCLUDE_STRING_H_

#include <stddef.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t size);
void* memmove(void* to, const void* from, size_t size);
void* memset(void* to, int value, size_t size);
}

#endif  // SQUEEZE_WEB_INCLUDE_STRING_H_
