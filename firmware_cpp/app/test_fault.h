// A firmware that goes wrong on purpose, so that tests can see what is said of it: CMake's TEST_FAULT.
#ifndef FIRMWARE_CPP_APP_TEST_FAULT_H_
#define FIRMWARE_CPP_APP_TEST_FAULT_H_

#include <stdint.h>

namespace app {

// A row of an image, of at least four bytes. One that begins with F, A, U goes wrong as its fourth byte says:
//   t  __builtin_trap()   b  a store to where nothing is   u  an unaligned access
//   s  a recursion without an end   h  a wait without an end
void FaultOnPurpose(const int8_t* row);

}  // namespace app

#endif  // FIRMWARE_CPP_APP_TEST_FAULT_H_
