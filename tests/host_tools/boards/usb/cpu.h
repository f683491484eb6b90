// Stands in for the real cpu.h: nobody interrupts the test.
#ifndef TESTS_HOST_TOOLS_BOARDS_USB_CPU_H_
#define TESTS_HOST_TOOLS_BOARDS_USB_CPU_H_

namespace cpu {

struct InterruptsOff {
  InterruptsOff() {}
  ~InterruptsOff() {}
};

}  // namespace cpu

#endif  // TESTS_HOST_TOOLS_BOARDS_USB_CPU_H_
