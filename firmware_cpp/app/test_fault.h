// A firmware that goes wrong on purpose, so that tests can see what is said of it: CMake's TEST_FAULT.
#ifndef FIRMWARE_CPP_APP_TEST_FAULT_H_
#define FIRMWARE_CPP_APP_TEST_FAULT_H_

namespace app {

// Called with each row of an image; the third one is its last.
void CountToFault();

}  // namespace app

#endif  // FIRMWARE_CPP_APP_TEST_FAULT_H_
